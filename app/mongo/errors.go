package mongo

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/khaosat/khaosat/survey"

	"go.mongodb.org/mongo-driver/mongo"
	"go.mongodb.org/mongo-driver/x/mongo/driver"
	"go.mongodb.org/mongo-driver/x/mongo/driver/topology"
)

// Codes of the server's errors, from MongoDB's error_codes.yml.
const (
	codeUnauthorized         = 13
	codeAuthenticationFailed = 18
	codeIndexOptionsConflict = 85
	codeIndexKeysConflict    = 86
	codeObjectTooLarge       = 10334
	codeOutOfDiskSpace       = 14031
	codeWriteConflict        = 112
	codeObjectTooLargeUpdate = 17419
	codeObjectTooLargeUpsert = 17420
	codeCursorNotFound       = 43
)

// FerretDB passes on what PostgreSQL says by its SQLSTATE, packed the way
// PostgreSQL packs it in memory.
var (
	diskFullState   = sqlState("53100")
	contendedStates = []int{sqlState("40001"), sqlState("40P01")}                                       // serialization failure, deadlock
	awayStates      = []int{sqlState("53300"), sqlState("57P01"), sqlState("57P02"), sqlState("57P03")} // too many connections, shutdown, crash, starting
)

// sqlState packs a SQLSTATE: six bits for each of its five characters.
func sqlState(state string) int {
	code := 0
	for i := range len(state) {
		code |= int(state[i]-'0') & 0x3f << (6 * i)
	}
	return code
}

// awayCodes are those of a server that cannot serve now and may later: host
// unreachable or not found, network timeout, shutdown, time limit exceeded,
// write concern not met, stepped down, interrupted, no primary.
var awayCodes = []int{6, 7, 50, 64, 79, 89, 91, 100, 133, 189, 202, 262, 317, 9001, 10107, 11600, 11602, 13435, 13436}

// failure turns what the driver says about an operation under ctx into an
// error of the domain. The context's own error passes as it is.
func (s *Store) failure(ctx context.Context, err error) error {
	if err == nil {
		return nil
	}
	if own := ctx.Err(); own != nil {
		return own
	}
	var known *survey.Error
	if errors.As(err, &known) {
		return err
	}
	fail := func(kind survey.Kind, code string) error {
		return &survey.Error{Kind: kind, Code: code, Args: survey.Args{"address": s.address}, Err: err}
	}
	switch {
	case errors.Is(err, mongo.ErrClientDisconnected), errors.Is(err, topology.ErrPoolClosed), errors.Is(err, topology.ErrServerClosed):
		return fail(survey.Unavailable, "store.closed")
	case errors.Is(err, driver.ErrDocumentTooLarge), hasCode(err, codeObjectTooLarge, codeObjectTooLargeUpdate, codeObjectTooLargeUpsert):
		return fail(survey.TooLarge, "store.too_large")
	case hasCode(err, codeOutOfDiskSpace, diskFullState):
		return fail(survey.Unavailable, "store.full")
	case hasCode(err, codeUnauthorized, codeAuthenticationFailed), isHandshakeRefusal(err):
		return fail(survey.Unavailable, "store.denied")
	case isAway(err):
		return fail(survey.Unavailable, "store.unreachable")
	}
	return fail(survey.Internal, "store.internal")
}

// isAway reports whether the error is one of the connection or of a server
// that cannot serve now, rather than of what was asked.
func isAway(err error) bool {
	var selection topology.ServerSelectionError
	var connection topology.ConnectionError
	var cleared driver.RetryablePoolError // the pool was emptied under the operation
	var concern mongo.WriteException
	return mongo.IsTimeout(err) || mongo.IsNetworkError(err) || hasCode(err, awayCodes...) || hasCode(err, awayStates...) ||
		errors.As(err, &selection) || errors.As(err, &connection) || errors.As(err, &cleared) ||
		(errors.As(err, &concern) && concern.WriteConcernError != nil && len(concern.WriteErrors) == 0)
}

// isContended reports whether the server gave a write up because of another at
// the same time. Nothing was written, and it may be tried again.
func isContended(err error) bool {
	return hasCode(err, codeWriteConflict) || hasCode(err, contendedStates...)
}

// maxTurns bounds how often a write is tried again because what stood in its
// way was gone when looked for, or because others wrote at the same time.
const maxTurns = 10

// untangle runs a write, and again after a while as long as it is contended.
func untangle(ctx context.Context, write func() error) error {
	err := write()
	for turn := 1; isContended(err) && turn < maxTurns; turn++ {
		if pauseErr := pause(ctx, turn); pauseErr != nil {
			return pauseErr
		}
		err = write()
	}
	return err
}

// pause waits between a quarter of a second and that doubled with every turn,
// up to 2 s. MongoDB hardly ever asks for it. FerretDB does when several want
// the same unique key at the very same time: its deadlocks take a second to be
// noticed, one by one, and who comes back too early is caught in the next.
func pause(ctx context.Context, turn int) error {
	most := min(250*time.Millisecond<<min(turn, 3), 2*time.Second)
	select {
	case <-time.After(250*time.Millisecond + rand.N(most)):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// isHandshakeRefusal reports whether the server turned the name or password down.
func isHandshakeRefusal(err error) bool {
	var selection topology.ServerSelectionError
	if errors.As(err, &selection) {
		for _, server := range selection.Desc.Servers {
			if hasCode(server.LastError, codeUnauthorized, codeAuthenticationFailed) {
				return true
			}
		}
	}
	return false
}

// hasCode reports whether the server gave one of the codes.
func hasCode(err error, codes ...int) bool {
	var server mongo.ServerError
	var raw driver.Error // the handshake's, which the driver does not translate
	isServer, isRaw := errors.As(err, &server), errors.As(err, &raw)
	for _, code := range codes {
		if isServer && server.HasErrorCode(code) || isRaw && int(raw.Code) == code {
			return true
		}
	}
	return false
}

func refuse(kind survey.Kind, code string, args survey.Args) error {
	return &survey.Error{Kind: kind, Code: code, Args: args}
}

// errUnreadable is for stored documents that do not have the shape we write.
func errUnreadable(noun string, err error) error {
	return &survey.Error{Kind: survey.Internal, Code: "store.internal", Err: fmt.Errorf("mongo: a stored %s cannot be read: %w", noun, err)}
}
