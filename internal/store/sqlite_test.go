package store_test

import (
	"testing"
	"time"

	"github.com/tenterhook/tenterhook/internal/store"
	"github.com/tenterhook/tenterhook/internal/store/storetest"
)

func TestSQLiteConforms(t *testing.T) {
	t.Parallel()
	storetest.Run(t, func(t *testing.T, now func() time.Time) (storetest.Store, func() storetest.Store) {
		dir := t.TempDir()
		open := func() *store.SQLite {
			s, err := store.Open(t.Context(), dir, store.Options{Now: now, RejectionRing: 10})
			if err != nil {
				t.Fatal(err)
			}
			return s
		}
		s := open()
		t.Cleanup(func() { _ = s.Close() }) // the test is over
		return s, func() storetest.Store {
			if err := s.Close(); err != nil {
				t.Fatal(err)
			}
			s = open()
			return s
		}
	})
}
