package cloud

import (
	"context"
	"time"

	"tidemark/internal/wire"
)

// Acts are what operators do beside changing documents: the methods of a Store
// of these names, in the transaction of Control.Act.
type Acts interface {
	AddCustomer(ctx context.Context, c Customer, first Key) error
	RotateKey(ctx context.Context, customer string, next Key, now, until time.Time) error
	Invite(ctx context.Context, i Invitation) error
	Release(ctx context.Context, customer, table string) (wire.Writer, error)
	AddOperator(ctx context.Context, first OperatorKey) error
	RotateOperator(ctx context.Context, next OperatorKey, now, until time.Time) error
	RemoveOperator(ctx context.Context, name string) error
}

// Act does something beside changing documents, and records it. A reason is
// recorded where the operator gives one. Errors are those of f and the store.
func (o Operator) Act(ctx context.Context, action, subject string, f func(Acts) error) error {
	return o.Store.Act(ctx, Change{At: time.Now(), Who: o.Who, Why: o.Why, Action: action, Subject: subject}, f)
}
