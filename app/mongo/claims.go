package mongo

import (
	"context"
	"sync"
)

// claims lets the callers of one process write one unique key one after the
// other: a visit, or a sign-in name. The index decides who gets it, here as
// among processes; this only keeps a crowd at one key from getting into each
// other's way in the server, which on FerretDB costs a second for each of them
// (PostgreSQL's deadlocks), and on MongoDB nothing.
type claims struct {
	mu   sync.Mutex
	keys map[string]*claim
}

// claim is one key that somebody writes, with those who write or wait.
type claim struct {
	turn  chan struct{}
	users int // guarded by claims.mu
}

// enter waits for the key's turn; leave gives it on. An empty key is nobody's.
func (c *claims) enter(ctx context.Context, key string) (leave func(), err error) {
	if key == "" {
		return func() {}, nil
	}
	k := c.use(key)
	select {
	case k.turn <- struct{}{}:
		return func() { <-k.turn; c.drop(key, k) }, nil
	case <-ctx.Done():
		c.drop(key, k)
		return nil, ctx.Err()
	}
}

func (c *claims) use(key string) *claim {
	c.mu.Lock()
	defer c.mu.Unlock()
	k := c.keys[key]
	if k == nil {
		if c.keys == nil {
			c.keys = map[string]*claim{}
		}
		k = &claim{turn: make(chan struct{}, 1)}
		c.keys[key] = k
	}
	k.users++
	return k
}

func (c *claims) drop(key string, k *claim) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if k.users--; k.users == 0 {
		delete(c.keys, key)
	}
}
