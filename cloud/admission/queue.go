package admission

// A turn is a request that waits. Ready is closed when it was let in or
// refused; which of both, refused tells then.
type turn struct {
	customer string
	ready    chan struct{}
	refused  bool
}

// A queue holds those that wait for one class: the customers in a ring, the
// requests of each in their order.
type queue struct {
	ring []string // customers that wait, the next one first
	of   map[string][]*turn
	n    int
}

func (q *queue) push(t *turn) {
	if q.of == nil {
		q.of = make(map[string][]*turn)
	}
	if len(q.of[t.customer]) == 0 {
		q.ring = append(q.ring, t.customer)
	}
	q.of[t.customer] = append(q.of[t.customer], t)
	q.n++
}

// next takes out the first request of the next customer that may come in;
// that customer goes to the end of the ring. nil: there is none.
func (q *queue) next(may func(customer string) bool) *turn {
	for i, customer := range q.ring {
		if !may(customer) {
			continue
		}
		t := q.of[customer][0]
		q.remove(t)
		if len(q.of[customer]) > 0 {
			copy(q.ring[i:], q.ring[i+1:])
			q.ring[len(q.ring)-1] = customer
		}
		return t
	}
	return nil
}

// remove takes t out; false when it is not there any more.
func (q *queue) remove(t *turn) bool {
	turns := q.of[t.customer]
	for i, other := range turns {
		if other != t {
			continue
		}
		q.n--
		if len(turns) > 1 {
			q.of[t.customer] = append(turns[:i:i], turns[i+1:]...)
			return true
		}
		delete(q.of, t.customer)
		for j, customer := range q.ring {
			if customer == t.customer {
				q.ring = append(q.ring[:j], q.ring[j+1:]...)
				break
			}
		}
		return true
	}
	return false
}

// greediest returns the newest request of the customer that waits with the
// most; nil when nobody waits with more than n.
func (q *queue) greediest(n int) *turn {
	var t *turn
	for _, customer := range q.ring {
		if turns := q.of[customer]; len(turns) > n {
			n, t = len(turns), turns[len(turns)-1]
		}
	}
	return t
}
