package deliver

// A node can be kept in a heap.
type node[T any] interface {
	before(other T) bool // whether it comes out before other
	placed(i int)        // tells it where in the heap it is; -1 if not in it any more
}

// A heap is a binary heap. Its first element is the one that comes before all
// others. A slice that is sorted is a heap as well.
type heap[T node[T]] []T

func (h *heap[T]) push(x T) {
	*h = append(*h, x)
	h.up(len(*h) - 1)
}

// remove takes out the element at i.
func (h *heap[T]) remove(i int) T {
	s := *h
	x, last := s[i], len(s)-1
	moved := s[last]
	var none T
	s[last] = none
	*h = s[:last]
	if i < last {
		s[i] = moved
		if !h.down(i) {
			h.up(i)
		}
	}
	x.placed(-1)
	return x
}

func (h *heap[T]) up(i int) {
	s := *h
	x := s[i]
	for i > 0 {
		parent := (i - 1) / 2
		if !x.before(s[parent]) {
			break
		}
		s[i] = s[parent]
		s[i].placed(i)
		i = parent
	}
	s[i] = x
	x.placed(i)
}

// down moves the element at i behind those that come before it, and reports
// whether there were any.
func (h *heap[T]) down(i int) bool {
	s := *h
	x, from := s[i], i
	for {
		child := 2*i + 1
		if child >= len(s) {
			break
		}
		if child+1 < len(s) && s[child+1].before(s[child]) {
			child++
		}
		if !s[child].before(x) {
			break
		}
		s[i] = s[child]
		s[i].placed(i)
		i = child
	}
	s[i] = x
	x.placed(i)
	return i > from
}
