package tenterhook_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/tenterhook/tenterhook"
)

func TestIDsIncreaseWhateverTheClockDoes(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		now := time.UnixMilli(1_700_000_000_000)
		ids := tenterhook.NewIDs(func() time.Time {
			now = now.Add(time.Duration(rapid.IntRange(-2000, 2000).Draw(t, "ms")) * time.Millisecond)
			return now
		})
		last := tenterhook.ID{}
		for range 50 {
			id := ids.New()
			if id.Compare(last) <= 0 || id.String() <= last.String() {
				t.Fatalf("%s came after %s", id, last)
			}
			last = id
		}
		restarted := tenterhook.NewIDs(func() time.Time { return now.Add(-time.Hour) })
		restarted.After(last)
		if id := restarted.New(); id.Compare(last) <= 0 {
			t.Fatalf("%s came after %s, by a clock that was put back", id, last)
		}
	})
}

func TestIDSaysWhatItBelongsTo(t *testing.T) {
	t.Parallel()
	at := time.UnixMilli(1_795_435_200_123).UTC()
	event := tenterhook.NewIDs(func() time.Time { return at }).New()
	delivery := event.Delivery(3)
	attempt := delivery.Attempt(12)
	if !event.Time().Equal(at) {
		t.Errorf("made at %v, says %v", at, event.Time())
	}
	if attempt.Event() != event || delivery.Event() != event || attempt.Delivery(0) != delivery {
		t.Errorf("%s, %s and %s do not belong together", event, delivery, attempt)
	}
	if attempt.DeliveryNumber() != 3 || attempt.AttemptNumber() != 12 || event.DeliveryNumber() != 0 {
		t.Errorf("delivery %d, attempt %d; want 3 and 12", attempt.DeliveryNumber(), attempt.AttemptNumber())
	}
	for id, prefix := range map[tenterhook.ID]string{event: "evt_", delivery: "dlv_", attempt: "att_"} {
		text := id.String()
		if !strings.HasPrefix(text, prefix) || len(text) != 30 {
			t.Errorf("%q, want 30 characters that begin with %q", text, prefix)
		}
		if back, err := tenterhook.ParseID(strings.ToLower(text)); err != nil || back != id {
			t.Errorf("%q read as %s, %v", text, back, err)
		}
	}
	if !(delivery.Compare(event) > 0 && attempt.Compare(delivery) > 0 && event.Delivery(4).Compare(attempt) > 0) {
		t.Error("ids do not sort as event, delivery, its attempts, next delivery")
	}
}

func TestParseIDRefuses(t *testing.T) {
	t.Parallel()
	good := tenterhook.NewIDs(nil).New().String()
	for name, text := range map[string]string{
		"empty": "", "short": good[:29], "long": good + "0", "another kind's prefix": "dlv_" + good[4:], "no prefix": "xxx_" + good[4:],
		"a letter that is not in the alphabet": good[:29] + "U", "more than 128 bits": "evt_8" + good[5:], "zero": "evt_" + strings.Repeat("0", 26),
	} {
		if id, err := tenterhook.ParseID(text); !errors.Is(err, tenterhook.ErrID) {
			t.Errorf("%s: %q read as %s, %v; want ErrID", name, text, id, err)
		}
	}
}

func FuzzParseID(f *testing.F) {
	f.Add("evt_01M844DZG062XY9EMGM4000000")
	f.Fuzz(func(t *testing.T, text string) {
		id, err := tenterhook.ParseID(text)
		if err != nil {
			return
		}
		if back := id.String(); back != text && !strings.EqualFold(back, text) {
			t.Errorf("%q read and written is %q", text, back)
		}
	})
}

func BenchmarkIDString(b *testing.B) {
	id := tenterhook.NewIDs(nil).New()
	b.ReportAllocs()
	for b.Loop() {
		_ = id.String()
	}
}
