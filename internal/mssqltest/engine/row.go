package engine

// A version is one state of a row.
type version struct {
	data    []byte // never changed in place
	prev    *version
	tx      *txn   // the transaction that wrote it, nil once committed
	seq     uint64 // commit sequence number, once committed
	deleted bool
}

// A row is its newest version with the older ones that someone may still see.
// All fields are guarded by the latch of the database.
type row struct {
	version
	id uint64
}

func (r *row) push(v version) {
	old := r.version
	v.prev = &old
	r.version = v
}

// pop takes the newest version away; false when it was the only one.
func (r *row) pop() bool {
	if r.prev == nil {
		return false
	}
	r.version = *r.prev
	return true
}

// A view decides which version of a row a statement sees.
type view struct {
	self     *txn
	snapshot bool
	seq      uint64
}

// see gives the version of r for v. Without a snapshot, a row that another
// transaction has in hand is not decided: its transaction is returned.
func (v *view) see(r *row) (data []byte, ok bool, busy *txn) {
	head := &r.version
	if !v.snapshot {
		if head.tx != nil && head.tx != v.self {
			return nil, false, head.tx
		}
		return head.data, !head.deleted, nil
	}
	for ver := head; ver != nil; ver = ver.prev {
		if ver.tx != nil && ver.tx == v.self || ver.tx == nil && ver.seq <= v.seq {
			return ver.data, !ver.deleted, nil
		}
	}
	return nil, false, nil
}
