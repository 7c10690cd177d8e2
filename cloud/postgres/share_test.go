package postgres

import "testing"

func TestShare(t *testing.T) {
	for _, c := range []struct {
		why                                    string
		most, slots, instances, mine, held, is int
		grows                                  bool
	}{
		{"alone, and just begun", 20, 85, 1, 1, 1, 20, false},
		{"alone, wants more than there are", 200, 85, 1, 1, 1, 74, false},
		{"four that have their share", 20, 85, 4, 18, 72, 18, false},
		{"one of four that does nothing while the others have their share", 20, 85, 4, 1, 55, 18, false},
		{"one that comes while three have theirs", 20, 85, 4, 1, 61, 7, true},
		{"one of those three", 20, 85, 4, 20, 61, 18, false},
		{"nothing is free, and the others have too much", 20, 85, 5, 1, 85, 1, true},
		{"little is free for many", 20, 85, 10, 1, 80, 2, true},
		{"as many instances as slots", 20, 85, 85, 1, 85, 1, false},
		{"a server with hardly any", 20, 2, 1, 1, 1, 1, false},
		{"one that lost its last connection", 20, 85, 9, 0, 85, 1, true},
	} {
		if got, grows := share(c.most, c.slots, c.instances, c.mine, c.held); got != c.is || grows != c.grows {
			t.Errorf("%s: %d, %v, want %d", c.why, got, grows, c.is)
		}
	}
}

func TestSlotsOf(t *testing.T) {
	for _, c := range []struct{ limit, reserve, slots int }{
		{97, 0, 85}, {97, 30, 67}, {97, -1, 97}, {8, 0, 7}, {7, 0, 7}, {1, 0, 1}, {5, 5, 0}, {0, 0, 0}, {5, 100, 0},
	} {
		if got, err := slotsOf(c.limit, c.reserve); got != c.slots || (err == nil) != (c.slots > 0) {
			t.Errorf("of %d but %d: %d, %v", c.limit, c.reserve, got, err)
		}
	}
}
