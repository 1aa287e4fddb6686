package egress

import (
	"context"
	"errors"
	"fmt"

	"net/http/httptest"
	"strconv"
	"sync"
	"testing"
	"time"
)

func never() {}

// However many hosts hold on to what they get, the next one gets a connection.
func TestSlotsLeaveSomeForOthers(t *testing.T) {
	t.Parallel()
	const most = 1000
	s := newSlots(most, 100)
	expired, cancel := context.WithCancel(t.Context())
	cancel()
	held := 0
	for round := range 100 { // every host wants a hundred
		for host := range 500 {
			if s.take(expired, strconv.Itoa(host), never) == nil {
				held++
			} else if round == 0 {
				t.Fatalf("host %d got none", host)
			}
		}
	}
	for host := range 5 {
		if err := s.take(expired, fmt.Sprint("healthy", host), never); err != nil {
			t.Errorf("healthy host %d: %v, while %d are held", host, err, held)
		}
	}
	if held > most || held < most*9/10 {
		t.Errorf("%d held of %d", held, most)
	}
}

func TestSlotsAreBoundedPerHost(t *testing.T) {
	t.Parallel()
	s := newSlots(1000, 3)
	ctx, cancel := context.WithCancel(t.Context())
	for range 3 {
		if err := s.take(ctx, "a", never); err != nil {
			t.Fatal(err)
		}
	}
	got := make(chan error)
	go func() { got <- s.take(ctx, "a", never) }()
	s.release("a")
	if err := <-got; err != nil {
		t.Error(err)
	}
	cancel()
	if err := s.take(ctx, "a", never); !errors.Is(err, errNoSlot) {
		t.Errorf("a fourth: %v", err)
	}
	for range 3 {
		s.release("a")
	}
	if s.used != 0 || len(s.hosts) != 0 {
		t.Errorf("%d used by %d hosts after all were given back", s.used, len(s.hosts))
	}
}

// Many want few, and all get their turn.
func TestSlotsUnderPressure(t *testing.T) {
	t.Parallel()
	s := newSlots(4, 2)
	var wg sync.WaitGroup
	for i := range 200 {
		wg.Go(func() {
			host := strconv.Itoa(i % 20)
			if err := s.take(t.Context(), host, never); err != nil {
				t.Error(err)
				return
			}
			s.mu.Lock()
			if s.used > 4 {
				t.Errorf("%d at a time", s.used)
			}
			s.mu.Unlock()
			s.release(host)
		})
	}
	wg.Wait()
	if s.used != 0 || len(s.hosts) != 0 {
		t.Errorf("%d used by %d hosts", s.used, len(s.hosts))
	}
}

// Connections that are only kept make room for those that are needed.
func TestKeptConnectionsMakeRoom(t *testing.T) {
	t.Parallel()
	c := newClient(t, Options{MaxConns: 1, DialTimeout: 5 * time.Second, Allow: rules(t, "127.0.0.0/8")})
	for range 3 {
		s, _ := counter(t, (*httptest.Server).Start)
		if status, err := post(t, c, s.URL, Permit{}); status != 200 || err != nil {
			t.Fatalf("%d, %v", status, err)
		}
	}
}
