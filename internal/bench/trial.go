package bench

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"time"
)

// arrivalPatience bounds how long accepted events may take to arrive after the
// load has ended.
const arrivalPatience = 2 * time.Minute

// readyPatience bounds how long a gateway may take to start.
const readyPatience = 2 * time.Minute

// bench is a measurement under way: its options, and the two processes that
// serve all trials.
type bench struct {
	Options

	dir      string // everything is written below it
	load     *child
	receiver *child
	where    addresses
	lastRun  uint32
}

// newBench starts the sender and the receiver.
func newBench(ctx context.Context, o Options) (*bench, error) {
	dir, err := os.MkdirTemp(o.Dir, "tenterhook-bench-")
	if err != nil {
		return nil, fmt.Errorf("make directory: %w", err)
	}
	b := &bench{Options: o, dir: dir}
	if b.load, err = spawn(ctx, o.Command, roleLoad); err != nil {
		return nil, errors.Join(err, b.close())
	}
	if b.receiver, err = spawn(ctx, o.Command, roleReceiver); err != nil {
		return nil, errors.Join(err, b.close())
	}
	if b.where, err = ask[addresses](ctx, b.receiver, "where", none{}); err != nil {
		return nil, errors.Join(err, b.close())
	}
	return b, nil
}

// close ends the processes and removes what was written.
func (b *bench) close() error {
	var errs []error
	for _, c := range []*child{b.load, b.receiver} {
		if c != nil {
			errs = append(errs, c.end())
		}
	}
	if err := os.RemoveAll(b.dir); err != nil {
		errs = append(errs, fmt.Errorf("remove what was measured with: %w", err))
	}
	return errors.Join(errs...)
}

func (b *bench) progress(format string, args ...any) { b.Progress(fmt.Sprintf(format, args...)) }

// plain is the setup of the plain load: one source, one route, one destination.
func (b *bench) plain() setup { return setup{receiver: b.where.Healthy, healthy: 1} }

// nextRun returns a mark that no event has had yet.
func (b *bench) nextRun() uint32 {
	b.lastRun++
	return b.lastRun
}

// A trial is one load on one gateway that was started for it.
type trial struct {
	setup  setup
	memory bool     // measure the ceiling
	load   loadSpec // without address, secret and mark
	before *loadSpec
	kill   bool // end the gateway at once: in order it would wait for a destination that hangs
}

// A process is a gateway under measurement.
type process struct {
	*child

	listening

	dir     string // its own
	readyMS float64
	ready   time.Time
}

// startGateway starts a gateway in a directory of its own, and returns it when it
// is ready.
func (b *bench) startGateway(ctx context.Context, dir string, s setup, memory bool) (*process, error) {
	path, err := s.write(dir)
	if err != nil {
		return nil, err
	}
	c, err := spawn(ctx, b.Command, roleGateway)
	if err != nil {
		return nil, err
	}
	p := &process{child: c, dir: dir}
	spec := gatewaySpec{Config: path, Log: filepath.Join(dir, "gateway.log"), Memory: memory}
	if p.listening, err = ask[listening](ctx, c, "start", spec); err != nil {
		c.kill()
		return nil, err
	}
	if p.ready, err = awaitReady(ctx, p.Private); err != nil {
		c.kill()
		return nil, err
	}
	p.readyMS = milliseconds(p.ready.Sub(c.started))
	return p, nil
}

// awaitReady asks until /readyz answers 200, and returns when that was.
func awaitReady(ctx context.Context, address string) (time.Time, error) {
	ctx, cancel := context.WithTimeout(ctx, readyPatience)
	defer cancel()
	ticker := time.NewTicker(time.Millisecond)
	defer ticker.Stop()
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	for {
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+address+"/readyz", http.NoBody)
		if err != nil {
			return time.Time{}, fmt.Errorf("wait for the gateway: %w", err)
		}
		if answer, err := client.Do(req); err == nil {
			_ = answer.Body.Close() // the status is what counts
			if answer.StatusCode == http.StatusOK {
				return time.Now(), nil
			}
		}
		select {
		case <-ticker.C:
		case <-ctx.Done():
			return time.Time{}, fmt.Errorf("wait for the gateway: %w", context.Cause(ctx))
		}
	}
}

// run runs a trial.
func (b *bench) run(ctx context.Context, t trial) (f Figures, err error) {
	dir, err := os.MkdirTemp(b.dir, "trial-")
	if err != nil {
		return f, fmt.Errorf("make directory: %w", err)
	}
	defer func() {
		if removeErr := os.RemoveAll(dir); err == nil {
			err = removeErr
		}
	}()
	if t.setup.data == "" {
		t.setup.data = filepath.Join(dir, "data")
	}
	before, err := databaseBytes(t.setup.data)
	if err != nil {
		return f, err
	}
	p, err := b.startGateway(ctx, dir, t.setup, t.memory)
	if err != nil {
		return f, err
	}
	defer p.kill() // nothing, if it ended in order
	total, err := b.warmUp(ctx, p, t)
	if err != nil {
		return f, err
	}
	if f, err = b.measure(ctx, p, t); err != nil {
		return f, err
	}
	f.ReadyMS = p.readyMS
	if t.kill {
		return f, nil
	}
	if _, err := ask[none](ctx, p.child, "stop", none{}); err != nil {
		return f, err
	}
	if err := p.end(); err != nil {
		return f, err
	}
	after, err := databaseBytes(t.setup.data)
	f.DiskBytesPerEvent = float64(after-before) / (float64(total) + f.Events)
	return f, err
}

// warmUp sends a few events, so that connections are open and memory has grown,
// and what the trial wants to have been sent before. It returns how many events
// were accepted.
func (b *bench) warmUp(ctx context.Context, p *process, t trial) (int64, error) {
	const each, least = 4, 200
	warm := t.load
	warm.Rate, warm.Duration, warm.Events = 0, 0, int64(max(each*warm.Connections, least))
	total, err := int64(0), error(nil)
	if t.before != nil {
		r, err := b.send(ctx, p, *t.before)
		if err != nil {
			return 0, err
		}
		total = r.Accepted
	}
	r, err := b.send(ctx, p, warm)
	if err != nil {
		return 0, err
	}
	_, err = b.arrive(ctx, r.Accepted*int64(t.setup.healthy))
	return total + r.Accepted, err
}

// send has the load sent, and the receiver expect it. It is an error if a request
// failed.
func (b *bench) send(ctx context.Context, p *process, spec loadSpec) (loadResult, error) {
	if err := b.address(ctx, p, &spec); err != nil {
		return loadResult{}, err
	}
	r, err := ask[loadResult](ctx, b.load, "run", spec)
	if err == nil && r.Failed > 0 {
		err = fmt.Errorf("%d of %d connections failed: %s", r.Failed, spec.Connections, r.Failure)
	}
	return r, err
}

// address directs the load at a gateway, with a mark that the receiver expects.
func (b *bench) address(ctx context.Context, p *process, spec *loadSpec) error {
	spec.Address, spec.Path, spec.Secret, spec.Run = p.Public, pathGitHub, githubSecret, b.nextRun()
	if spec.Event == "" {
		spec.Event = eventPush
	}
	_, err := ask[none](ctx, b.receiver, "expect", spec.Run)
	return err
}

// arrive waits for n events at the receiver.
func (b *bench) arrive(ctx context.Context, n int64) (arrivals, error) {
	a, err := ask[arrivals](ctx, b.receiver, "wait", awaited{Distinct: n, Timeout: arrivalPatience})
	switch {
	case err != nil:
	case a.Distinct != n:
		err = fmt.Errorf("%d of %d accepted deliveries arrived within %s", a.Distinct, n, arrivalPatience)
	case a.Duplicates+a.Strange > 0:
		err = fmt.Errorf("of %d deliveries %d came twice, and %d could not be read", n, a.Duplicates, a.Strange)
	}
	return a, err
}

// measure measures the load on a gateway that is warm.
func (b *bench) measure(ctx context.Context, p *process, t trial) (Figures, error) {
	var f Figures
	start, err := b.stand(ctx, p)
	if err != nil {
		return f, err
	}
	if _, err := ask[none](ctx, p.child, "reset", none{}); err != nil {
		return f, err
	}
	sent, err := b.send(ctx, p, t.load)
	if err != nil {
		return f, err
	}
	came, err := b.arrive(ctx, sent.Accepted*int64(t.setup.healthy))
	if err != nil {
		return f, err
	}
	end, err := b.stand(ctx, p)
	if err != nil {
		return f, err
	}
	n := float64(sent.Accepted)
	f = Figures{
		Events:              n,
		AcceptedPerSecond:   n / seconds(sent.First, sent.Last),
		DeliveredPerSecond:  n / seconds(sent.First, came.Last),
		AcceptP50MS:         milliseconds(sent.Accept.quantile(0.5)),
		AcceptP99MS:         milliseconds(sent.Accept.quantile(0.99)),
		EndToEndP50MS:       milliseconds(came.EndToEnd.quantile(0.5)),
		EndToEndP99MS:       milliseconds(came.EndToEnd.quantile(0.99)),
		CPUMSPerEvent:       milliseconds(end.gateway.CPU-start.gateway.CPU) / n,
		OthersCPUMSPerEvent: milliseconds(end.others-start.others) / n,
		PeakRSSBytes:        float64(end.gateway.Peak),
	}
	if commits := float64(end.commits - start.commits); commits > 0 && !t.memory {
		f.WritesPerCommit = (n + n*float64(t.setup.healthy)) / commits
	}
	return f, nil
}

func seconds(from, to int64) float64 { return time.Duration(to - from).Seconds() }

// A standing is what was used and done up to a moment.
type standing struct {
	gateway usage
	others  time.Duration
	commits int64
}

// stand looks how things stand once every attempt is on record.
func (b *bench) stand(ctx context.Context, p *process) (standing, error) {
	var s standing
	st, err := ask[settled](ctx, p.child, "settle", []string{aside})
	if err != nil {
		return s, err
	}
	s.commits = st.Commits
	for _, c := range []*child{p.child, b.load, b.receiver} {
		u, err := ask[usage](ctx, c, "usage", none{})
		if err != nil {
			return s, err
		}
		if c == p.child {
			s.gateway = u
		} else {
			s.others += u.CPU
		}
	}
	return s, nil
}
