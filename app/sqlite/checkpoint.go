package sqlite

// SQLite takes the log into the database by itself after a commit, as far as
// nobody still reads the state before it, and begins the log anew once all of
// it is in and nobody reads from it. Under readings that overlap without a gap
// that moment never comes, and the log would grow without end. So the writer
// looks at the log now and then, and when it has become long it keeps the
// readers waiting for the moment that it takes.

// folding says when the writer looks at the log, and what it has written since.
type folding struct {
	everyChanges, everyBytes int   // a look after so many changes, or so many bytes of documents
	longLog                  int64 // in pages; longer than this, readers have to wait

	changes, bytes int
}

func defaultFolding() folding {
	return folding{everyChanges: 1000, everyBytes: 32 << 20, longLog: 32768} // 128 MB
}

// foldLog is called between transactions with what was written in the last.
// Failure does no harm: the log stays as it is and the next look comes.
func (w *writer) foldLog(changes, bytes int) {
	f := &w.folding
	f.changes += changes
	f.bytes += bytes
	if f.changes < f.everyChanges && f.bytes < f.everyBytes {
		return
	}
	f.changes, f.bytes = 0, 0
	var busy, pages, folded int64
	_, err := w.conn.one("PRAGMA wal_checkpoint(PASSIVE)", nil, &busy, &pages, &folded)
	if err != nil || pages < f.longLog {
		return
	}
	w.readers.pause(func() {
		_, _ = w.conn.one("PRAGMA wal_checkpoint(RESTART)", nil, &busy, &pages, &folded)
	})
}
