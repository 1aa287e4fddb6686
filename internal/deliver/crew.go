package deliver

import "sync"

// maxIdle bounds the workers that wait for work.
const maxIdle = 64

// A crew is the workers of all queues. A worker that has nothing to do waits for
// a while to be called again: its stack has grown to what an attempt needs,
// which a new goroutine's would have to do once more.
type crew struct {
	work   func(*queue)
	wg     sync.WaitGroup
	mu     sync.Mutex
	idle   []chan *queue // the last one to become idle is called first
	closed bool
}

// call has a worker work on q. It does not block.
func (c *crew) call(q *queue) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		return
	}
	if n := len(c.idle); n > 0 {
		c.idle[n-1] <- q // has room for one
		c.idle = c.idle[:n-1]
		return
	}
	c.wg.Go(func() { c.worker(q) })
}

func (c *crew) worker(q *queue) {
	calls := make(chan *queue, 1)
	for {
		c.work(q)
		if !c.rest(calls) {
			return
		}
		var ok bool
		if q, ok = <-calls; !ok {
			return
		}
	}
}

// rest makes the worker that listens on calls idle, and reports whether it may.
func (c *crew) rest(calls chan *queue) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed || len(c.idle) >= maxIdle {
		return false
	}
	c.idle = append(c.idle, calls)
	return true
}

// close sends the idle workers home. Those at work go when they are done.
func (c *crew) close() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.closed = true
	for _, calls := range c.idle {
		close(calls)
	}
	c.idle = nil
}
