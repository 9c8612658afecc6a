package mongo

import (
	"context"
	"errors"
	"net"
	"strings"
	"time"

	"github.com/khaosat/khaosat/survey"

	"go.mongodb.org/mongo-driver/bson"
	"go.mongodb.org/mongo-driver/bson/primitive"
	"go.mongodb.org/mongo-driver/mongo"
	"go.mongodb.org/mongo-driver/mongo/options"
	"go.mongodb.org/mongo-driver/mongo/readconcern"
	"go.mongodb.org/mongo-driver/mongo/readpref"
	"go.mongodb.org/mongo-driver/mongo/writeconcern"
	"go.mongodb.org/mongo-driver/x/mongo/driver/connstring"
)

// DefaultDatabase is the database of an address that names none.
const DefaultDatabase = "khaosat"

// Options are what may be chosen when a store is opened. The zero value is a
// good choice.
type Options struct {
	// SelectionTimeout is how long to look for a server that can serve before
	// giving Unavailable; 0 means 5 s.
	SelectionTimeout time.Duration
	// OperationTimeout bounds each exchange with the server, looking for it
	// included; 0 means 20 s. A method that needs several exchanges (a bulk
	// write, a long reading) may take longer as a whole.
	OperationTimeout time.Duration
}

// Store is a survey.Store in a MongoDB database.
type Store struct {
	client  *mongo.Client
	db      *mongo.Database
	address string // hosts and database, for people; never a password
	name    string
	id      string // names this database in cursors
	timeout time.Duration

	templates   *shelf[survey.Template]
	typeLists   *shelf[survey.TypeLists]
	units       *shelf[survey.Unit]
	people      *shelf[survey.Person]
	tokens      *shelf[survey.Token]
	rounds      *shelf[survey.Round]
	jobs        *shelf[survey.Job]
	assignments *shelf[survey.Assignment]
	responses   *shelf[survey.Response]

	unitLog       *log
	assignmentLog *log
	responseLog   *log
}

var _ survey.Store = (*Store)(nil)

// Open connects to the database that the address names
// ("mongodb://user:password@host:27017/database?authSource=admin"; without a
// name it is "khaosat"), and creates indexes and brings documents up to date
// where needed. Read and write concern are ours, whatever the address says.
//
// Invalid with code "store.uri" when that is no such address, or "store.newer"
// when the database was made by a newer khaosat; Unavailable with code
// "store.unreachable" when no server answers in time, or "store.denied" when it
// does not let us in. Each names the "address", without name and password.
func Open(ctx context.Context, uri string, opts Options) (*Store, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if opts.SelectionTimeout <= 0 {
		opts.SelectionTimeout = 5 * time.Second
	}
	if opts.OperationTimeout <= 0 {
		opts.OperationTimeout = 20 * time.Second
	}
	s := &Store{address: withoutSecrets(uri), timeout: opts.OperationTimeout}
	if err := s.connect(ctx, uri, opts); err != nil {
		return nil, err
	}
	if err := s.prepare(ctx); err != nil {
		_ = s.Close()
		return nil, s.failure(ctx, err)
	}
	return s, nil
}

// connect makes the client. It does not dial yet, except to look up the name
// of a mongodb+srv address.
func (s *Store) connect(ctx context.Context, uri string, opts Options) error {
	var lookup *net.DNSError
	address, err := connstring.ParseAndValidate(uri)
	if errors.As(err, &lookup) {
		return &survey.Error{Kind: survey.Unavailable, Code: "store.unreachable", Args: survey.Args{"address": s.address}, Err: err}
	}
	if err != nil { // the cause is left out: it may quote the password
		return refuse(survey.Invalid, "store.uri", survey.Args{"address": s.address})
	}
	if address.Database == "" {
		address.Database = DefaultDatabase
	}
	s.address = strings.Join(address.Hosts, ",") + "/" + address.Database
	journaled := true
	o := options.Client().ApplyURI(uri).
		SetAppName("khaosat").
		SetServerSelectionTimeout(opts.SelectionTimeout).
		SetConnectTimeout(opts.SelectionTimeout).
		SetReadPreference(readpref.Primary()).
		SetReadConcern(readconcern.Majority()).
		SetWriteConcern(&writeconcern.WriteConcern{W: "majority", Journal: &journaled}).
		SetRetryWrites(true).
		SetRetryReads(true).
		SetBSONOptions(&options.BSONOptions{NilSliceAsEmpty: true})
	if s.client, err = mongo.Connect(ctx, o); err != nil {
		return refuse(survey.Invalid, "store.uri", survey.Args{"address": s.address})
	}
	s.db = s.client.Database(address.Database)
	return nil
}

// withoutSecrets gives what may be shown of an address that could not be
// parsed: no name, password or options.
func withoutSecrets(uri string) string {
	scheme, rest, ok := strings.Cut(uri, "://")
	if !ok {
		scheme, rest = "", uri
	} else {
		scheme += "://"
	}
	if at := strings.LastIndexByte(rest, '@'); at >= 0 {
		rest = "***" + rest[at:]
	}
	rest, _, _ = strings.Cut(rest, "?")
	return scheme + rest
}

// prepare finds the server and makes the database ready for use.
func (s *Store) prepare(ctx context.Context) error {
	if err := s.identify(ctx); err != nil {
		return err
	}
	if err := s.migrate(ctx); err != nil {
		return err
	}
	s.templates = s.templateShelf()
	s.typeLists = s.typeListsShelf()
	s.units = s.unitShelf()
	s.people = s.personShelf()
	s.tokens = s.tokenShelf()
	s.rounds = s.roundShelf()
	s.jobs = s.jobShelf()
	s.assignments = s.assignmentShelf()
	s.responses = s.responseShelf()
	s.unitLog = s.newLog(unitsName)
	s.assignmentLog = s.newLog(assignmentsName)
	s.responseLog = s.newLog(responsesName)
	return nil
}

// identify asks the server what it is.
func (s *Store) identify(ctx context.Context) error {
	ctx, cancel := s.limit(ctx)
	defer cancel()
	if err := s.client.Ping(ctx, readpref.Primary()); err != nil {
		return err
	}
	var info struct {
		Version  string `bson:"version"`
		FerretDB struct {
			Version string `bson:"version"`
		} `bson:"ferretdb"`
	}
	if err := s.db.RunCommand(ctx, bson.D{{Key: "buildInfo", Value: 1}}).Decode(&info); err != nil {
		return err
	}
	s.name = "MongoDB " + info.Version
	if v := info.FerretDB.Version; v != "" {
		s.name = "FerretDB " + strings.TrimPrefix(v, "v")
	}
	s.name += " (" + s.address + ")"
	return nil
}

// limit bounds one exchange with the server.
func (s *Store) limit(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeout(ctx, s.timeout)
}

// Name implements survey.Store.
func (s *Store) Name() string { return s.name }

// Ping implements survey.Store: it writes.
func (s *Store) Ping(ctx context.Context) error {
	op, cancel := s.limit(ctx)
	defer cancel()
	_, err := s.db.Collection(pingsName).UpdateOne(op, bson.D{{Key: "_id", Value: "ping"}},
		bson.D{{Key: "$currentDate", Value: bson.D{{Key: "at", Value: true}}}}, options.Update().SetUpsert(true))
	if mongo.IsDuplicateKeyError(err) { // two first pings at once
		err = nil
	}
	return s.failure(ctx, err)
}

// Close implements survey.Store: it waits for what is in hand, as long as one
// exchange may take.
func (s *Store) Close() error {
	ctx, cancel := s.limit(context.Background())
	defer cancel()
	if err := s.client.Disconnect(ctx); err != nil && !errors.Is(err, mongo.ErrClientDisconnected) {
		return s.failure(ctx, err)
	}
	return nil
}

// now gives the server's clock.
func (s *Store) now(ctx context.Context) (time.Time, error) {
	op, cancel := s.limit(ctx)
	defer cancel()
	var hello struct {
		LocalTime time.Time `bson:"localTime"`
	}
	err := s.db.RunCommand(op, bson.D{{Key: "hello", Value: 1}}).Decode(&hello)
	return hello.LocalTime, s.failure(ctx, err)
}

// head is what every document begins with after its _id.
type head struct {
	Rev int64 `bson:"rev"`
	// Written is the server's clock at the last write.
	Written time.Time `bson:"written"`
	// Write marks the last write: no two have the same, and those of one
	// process are in order.
	Write primitive.ObjectID `bson:"write"`
}

func newHead(rev int64) head { return head{Rev: rev, Write: primitive.NewObjectID()} }
