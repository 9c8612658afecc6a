package sqlite_test

import (
	"context"
	"sync"
	"testing"
	"time"

	"github.com/khaosat/khaosat/survey"
	"github.com/khaosat/khaosat/survey/surveytest"
)

// TestNeighbourIsNotStarved lets 32 callers keep one handle writing without a
// pause, as a server under load, while another handle, as a command beside it,
// writes now and then.
func TestNeighbourIsNotStarved(t *testing.T) {
	open := open(t)
	server, command := open(), open()
	ctx, stop := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	defer func() { stop(); wg.Wait() }()
	for i := range 32 {
		wg.Go(func() {
			for k := 0; ctx.Err() == nil; k++ {
				if err := server.CreateResponse(ctx, surveytest.Response(i*100_000+k)); err != nil && ctx.Err() == nil {
					t.Error(err)
					return
				}
			}
		})
	}
	var worst time.Duration
	for i := range 20 {
		start := time.Now()
		surveytest.Must(t, command.CreateToken(ctx, surveytest.Token(i, survey.PersonID("p"))))
		worst = max(worst, time.Since(start))
		time.Sleep(10 * time.Millisecond)
	}
	t.Logf("the command's slowest write took %v", worst)
	if worst > 2*time.Second {
		t.Errorf("a command beside a busy server waited %v", worst)
	}
}
