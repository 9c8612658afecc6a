package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"slices"
	"sync"
	"time"
)

// submit makes the plan's round through the API and then sends its submissions
// over 32 connections that are kept open, each waiting for one acknowledgement
// before the next is sent. Every one must be 201, and afterwards the server must
// count as many responses as were acknowledged. It prints the rate alone.
func submit(ctx context.Context, flags *flag.FlagSet, args []string) error {
	addr := flags.String("addr", "127.0.0.1:8080", "address of the server")
	file := flags.String("plan", "plan.gob", "plan to send")
	_ = flags.Parse(args)
	p, err := readPlan(*file)
	if err != nil {
		return err
	}
	if err := p.makeRound(ctx, *addr); err != nil {
		return err
	}
	warm(ctx, *addr, p)

	var wg sync.WaitGroup
	var failed [clients]error
	var waits [clients][]time.Duration
	begin := time.Now()
	for i := range clients {
		wg.Go(func() { waits[i], failed[i] = send(*addr, p.Requests[i]) })
	}
	wg.Wait()
	took := time.Since(begin)
	sent := 0
	var all []time.Duration
	for i := range clients {
		if failed[i] != nil {
			return failed[i]
		}
		sent += len(p.Requests[i])
		all = append(all, waits[i]...)
	}
	stored, err := p.count(ctx, *addr)
	if err != nil {
		return err
	}
	if stored != sent {
		return fmt.Errorf("%d were acknowledged, %d are stored", sent, stored)
	}
	slices.Sort(all)
	fmt.Fprintf(os.Stderr, "%d submissions in %v; a client waited %v (median), %v (99 %%)\n", sent, took.Round(time.Millisecond),
		all[len(all)/2].Round(time.Microsecond), all[len(all)*99/100].Round(time.Microsecond))
	fmt.Printf("%.0f\n", float64(sent)/took.Seconds())
	return nil
}

// makeRound creates the round and its assignments.
func (p *plan) makeRound(ctx context.Context, addr string) error {
	body, err := json.Marshal(p.Round)
	if err != nil {
		return err
	}
	if err := p.call(ctx, addr, "PUT", "/rounds/"+string(p.Round.Code), body, http.StatusCreated, nil); err != nil {
		return err
	}
	for _, some := range p.Assignments {
		if err := p.call(ctx, addr, "POST", "/rounds/"+string(p.Round.Code)+"/assignments", some, http.StatusCreated, nil); err != nil {
			return err
		}
	}
	return nil
}

// count asks the server how many responses the round has, by its summary.
func (p *plan) count(ctx context.Context, addr string) (int, error) {
	var sum struct {
		Overall struct {
			Responses int `json:"responses"`
		} `json:"overall"`
	}
	err := p.call(ctx, addr, "GET", "/rounds/"+string(p.Round.Code)+"/summary", nil, http.StatusOK, &sum)
	return sum.Overall.Responses, err
}

// call makes one request as the administrator.
func (p *plan) call(ctx context.Context, addr, method, path string, body []byte, want int, into any) error {
	req, err := http.NewRequestWithContext(ctx, method, "http://"+addr+"/api/v1"+path, bytes.NewReader(body))
	if err != nil {
		return err
	}
	req.Header.Set("Authorization", "Bearer "+p.Admin)
	req.Header.Set("Content-Type", "application/json")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(resp.Body)
	if err != nil {
		return err
	}
	if resp.StatusCode != want {
		return fmt.Errorf("%s %s: %s: %.300s", method, path, resp.Status, answer)
	}
	if into == nil {
		return nil
	}
	return json.Unmarshal(answer, into)
}

// warm lets the server read what every first request has to: accounts aside,
// the tree and the template.
func warm(ctx context.Context, addr string, p *plan) { _, _ = p.count(ctx, addr) }

// send writes requests that were laid out beforehand, so that the client takes
// as little as it can of the machine that it shares with the server.
func send(addr string, all []submission) ([]time.Duration, error) {
	requests := make([][]byte, len(all))
	for i, s := range all {
		requests[i] = fmt.Appendf(nil, "PUT /api/v1/responses/%s HTTP/1.1\r\nHost: %s\r\nAuthorization: Bearer %s\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s",
			s.ID, addr, s.Token, len(s.Body), s.Body)
	}
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		return nil, err
	}
	defer conn.Close()
	in := bufio.NewReaderSize(conn, 8192)
	waits := make([]time.Duration, len(all))
	for i := range requests {
		begin := time.Now()
		if _, err := conn.Write(requests[i]); err != nil {
			return nil, err
		}
		resp, err := http.ReadResponse(in, nil)
		if err != nil {
			return nil, err
		}
		answer, err := io.ReadAll(resp.Body)
		if err != nil {
			return nil, err
		}
		if resp.StatusCode != http.StatusCreated {
			return nil, fmt.Errorf("%s: %s: %.500s", all[i].ID, resp.Status, answer)
		}
		waits[i] = time.Since(begin)
	}
	return waits, nil
}
