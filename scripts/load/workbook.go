package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"syscall"
	"time"

	"github.com/xuri/excelize/v2"

	"github.com/khaosat/khaosat/fixtures"
)

// detailSheet is the sheet with a row for every visit.
const detailSheet = "ChiTiet"

// workbook runs `khaosat export` and then writes the cells of the sheet of
// visits, and nothing else, with excelize's stream writer. Prints tab-separated:
// seconds and peak MB of the command, rows, bytes of the file, seconds of the
// stream writer.
func workbook(ctx context.Context, flags *flag.FlagSet, args []string) error {
	program := flags.String("program", "khaosat", "program to run")
	data := flags.String("data", "", "data folder with a demonstration")
	baseline := flags.Bool("baseline", true, "write the cells with a stream writer too")
	_ = flags.Parse(args)
	dir, err := os.MkdirTemp("", "khaosat-load-*")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	out := filepath.Join(dir, "round.xlsx")
	command := exec.CommandContext(ctx, *program, "export", "--data", *data, "--round", string(fixtures.DemoRound), "--out", out)
	command.Stderr = os.Stderr
	begin := time.Now()
	if err := command.Run(); err != nil {
		return err
	}
	took := time.Since(begin)
	usage, ok := command.ProcessState.SysUsage().(*syscall.Rusage)
	if !ok {
		return errors.New("this system does not tell how much memory a command took")
	}
	info, err := os.Stat(out)
	if err != nil {
		return err
	}
	rows, bare := 0, time.Duration(0)
	if *baseline {
		cells, err := readCells(out, 0)
		if err != nil {
			return err
		}
		rows = len(cells)
		begin = time.Now()
		if err := streamCells(filepath.Join(dir, "bare.xlsx"), cells); err != nil {
			return err
		}
		bare = time.Since(begin)
	}
	// ru_maxrss is in kilobytes on Linux.
	fmt.Printf("%.2f\t%.0f\t%d\t%d\t%.2f\n", took.Seconds(), float64(usage.Maxrss)/1024, rows, info.Size(), bare.Seconds())
	return nil
}

// readCells reads the sheet of visits, the first rows or, with 0, all of them;
// numbers come back as numbers.
func readCells(file string, most int) ([][]any, error) {
	f, err := excelize.OpenFile(file)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	rows, err := f.Rows(detailSheet)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var all [][]any
	for (most == 0 || len(all) < most) && rows.Next() {
		texts, err := rows.Columns(excelize.Options{RawCellValue: true})
		if err != nil {
			return nil, err
		}
		row := make([]any, len(texts))
		for i, text := range texts {
			if n, err := strconv.ParseFloat(text, 64); err == nil {
				row[i] = n
			} else if text != "" {
				row[i] = text
			}
		}
		all = append(all, row)
	}
	return all, rows.Error()
}

func streamCells(file string, cells [][]any) error {
	f := excelize.NewFile()
	defer f.Close()
	if err := f.SetSheetName("Sheet1", detailSheet); err != nil {
		return err
	}
	w, err := f.NewStreamWriter(detailSheet)
	if err != nil {
		return err
	}
	for i, row := range cells {
		cell, err := excelize.CoordinatesToCellName(1, i+1)
		if err != nil {
			return err
		}
		if err := w.SetRow(cell, row); err != nil {
			return err
		}
	}
	if err := w.Flush(); err != nil {
		return err
	}
	out, err := os.Create(file)
	if err != nil {
		return err
	}
	if err := f.Write(io.Writer(out)); err != nil {
		return err
	}
	return out.Close()
}
