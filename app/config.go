package main

import (
	"errors"
	"io/fs"
	"log/slog"
	"net/url"
	"os"

	"github.com/khaosat/khaosat/app/mongo"
	"github.com/khaosat/khaosat/app/service"
	"github.com/khaosat/khaosat/app/sqlite"
	"github.com/khaosat/khaosat/survey"
)

// defaultData is where the embedded store lies when nothing else is said.
const defaultData = "./data"

// storeFlags say where the data is. Every command that touches data has them.
type storeFlags struct {
	Data           string `help:"Folder of the embedded SQLite store." env:"KHAOSAT_DATA" default:"${data}" type:"path"`
	MongodbURI     string `name:"mongodb-uri" help:"Address of a MongoDB server; the embedded store is not used then." env:"KHAOSAT_MONGODB_URI"`
	MongodbURIFile string `name:"mongodb-uri-file" help:"File that holds the address, for container secrets." env:"KHAOSAT_MONGODB_URI_FILE" type:"path"`
}

// open opens the store. Must says that the data has to be there already, so
// that a misspelt --data is told rather than an empty store made.
func (f *storeFlags) open(t *terminal, must bool, embedded sqlite.Options) (survey.Store, error) {
	uri := f.MongodbURI
	if uri == "" && f.MongodbURIFile != "" {
		b, err := os.ReadFile(f.MongodbURIFile)
		if err != nil {
			return nil, &survey.Error{Kind: survey.Invalid, Code: "file.unreadable", Args: survey.Args{"file": f.MongodbURIFile}, Err: err}
		}
		uri = trimLine(string(b))
	}
	if uri != "" {
		if _, err := url.Parse(uri); err != nil {
			// The parser's error would show the password.
			return nil, &survey.Error{Kind: survey.Invalid, Code: "store.uri"}
		}
		return mongo.Open(t.ctx, uri, mongo.Options{})
	}
	if must {
		if _, err := os.Stat(f.Data); errors.Is(err, fs.ErrNotExist) {
			return nil, &survey.Error{Kind: survey.Invalid, Code: "store.no_folder", Args: survey.Args{"path": f.Data}}
		}
	}
	return sqlite.Open(t.ctx, f.Data, embedded)
}

// service opens the store and makes a service over it. Close must be called.
func (f *storeFlags) service(t *terminal, must bool) (s *service.Service, closeStore func() error, err error) {
	// A command reads what it needs once.
	store, err := f.open(t, must, sqlite.Options{Cache: 512})
	if err != nil {
		return nil, nil, err
	}
	log := slog.New(slog.NewTextHandler(t.err, &slog.HandlerOptions{Level: slog.LevelWarn}))
	return service.New(store, service.Options{Log: log}), store.Close, nil
}

func trimLine(s string) string {
	for len(s) > 0 && (s[len(s)-1] == '\n' || s[len(s)-1] == '\r' || s[len(s)-1] == ' ') {
		s = s[:len(s)-1]
	}
	return s
}
