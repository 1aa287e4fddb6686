package store

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"time"
)

//go:embed migrations/sqlite/*.sql
var migrationFiles embed.FS

// ErrNewer means that a newer version of the program wrote the store.
var ErrNewer = errors.New("the store was written by a newer version of tenterhook")

const (
	createMigrations = `CREATE TABLE IF NOT EXISTS migrations (version INTEGER NOT NULL PRIMARY KEY, applied_at INTEGER NOT NULL)`
	selectVersion    = `SELECT coalesce(max(version), 0) FROM migrations`
	insertVersion    = `INSERT INTO migrations (version, applied_at) VALUES (?, ?)`
)

// migrate applies the numbered files that the store has not seen, each in one
// transaction.
func migrate(ctx context.Context, conn *sql.Conn, now func() time.Time) error {
	names, err := fs.Glob(migrationFiles, "migrations/sqlite/*.sql")
	if err != nil {
		return fmt.Errorf("list migrations: %w", err)
	}
	if _, err := conn.ExecContext(ctx, createMigrations); err != nil {
		return fmt.Errorf("create migrations table: %w", err)
	}
	var version int
	if err := conn.QueryRowContext(ctx, selectVersion).Scan(&version); err != nil {
		return fmt.Errorf("read schema version: %w", err)
	}
	if version > len(names) {
		return fmt.Errorf("%w: its schema is %d, this version knows %d; install the newer version again", ErrNewer, version, len(names))
	}
	for i, name := range names[version:] {
		text, err := migrationFiles.ReadFile(name)
		if err != nil {
			return fmt.Errorf("read migration: %w", err)
		}
		if err := applyMigration(ctx, conn, version+i+1, string(text), now()); err != nil {
			return fmt.Errorf("migration %s: %w", path.Base(name), err)
		}
	}
	return nil
}

func applyMigration(ctx context.Context, conn *sql.Conn, version int, text string, now time.Time) error {
	tx, err := conn.BeginTx(ctx, nil)
	if err != nil {
		return fmt.Errorf("begin: %w", err)
	}
	defer func() { _ = tx.Rollback() }() // does nothing after Commit
	if _, err := tx.ExecContext(ctx, text); err != nil {
		return err
	}
	if _, err := tx.ExecContext(ctx, insertVersion, version, now.UnixMicro()); err != nil {
		return fmt.Errorf("record version: %w", err)
	}
	return tx.Commit()
}
