package main

import (
	"context"
	"flag"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"time"
)

// start runs `khaosat serve` on existing data, waits until /readyz answers that
// it is ready, prints how many milliseconds that took, and stops the server.
func start(ctx context.Context, flags *flag.FlagSet, args []string) error {
	program := flags.String("program", "khaosat", "program to run")
	data := flags.String("data", "", "data folder")
	addr := flags.String("addr", "127.0.0.1:18081", "address to serve on")
	_ = flags.Parse(args)
	server := exec.CommandContext(ctx, *program, "serve", "--data", *data, "--addr", *addr)
	server.Stderr = os.Stderr
	begin := time.Now()
	if err := server.Start(); err != nil {
		return err
	}
	defer func() {
		_ = server.Process.Signal(os.Interrupt)
		_ = server.Wait()
	}()
	for time.Since(begin) < time.Minute {
		resp, err := http.Get("http://" + *addr + "/readyz")
		if err == nil {
			resp.Body.Close()
			if resp.StatusCode == http.StatusOK {
				fmt.Println(time.Since(begin).Milliseconds())
				return nil
			}
		}
		time.Sleep(5 * time.Millisecond)
	}
	return fmt.Errorf("%s was not ready within a minute", *addr)
}
