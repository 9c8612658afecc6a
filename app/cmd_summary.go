package main

import (
	"fmt"
	"strings"

	"golang.org/x/text/width"

	"github.com/khaosat/khaosat/app/service"
	"github.com/khaosat/khaosat/scoring"
	"github.com/khaosat/khaosat/survey"
	"github.com/khaosat/khaosat/survey/message"
)

type summaryCommand struct {
	storeFlags
	Round      string   `required:"" help:"Code of the round."`
	By         string   `default:"sector" help:"sector, rollup, superior, superior:N, parent, structure, setting, tag, observer, period, all."`
	Template   string   `help:"Template; the round's first if left out."`
	Role       string   `default:"observer" help:"Whose ratings: observer, second, self, members, superior, adjudicator."`
	ByResponse bool     `help:"Count each response, not each visit."`
	Items      bool     `help:"Show every item too."`
	Sector     []string `help:"Only these sectors or roll-ups."`
	Under      []string `help:"Only under these units."`
	Tag        []string `help:"Only units with one of these tags."`
	JSON       bool     `name:"json" help:"Write a JSON list of groups."`
}

// Run shows the same numbers as the API and the workbook.
func (c *summaryCommand) Run(t *terminal) error {
	return c.with(t, true, func(s *service.Service) error {
		q := scoring.Query{Template: survey.TemplateCode(c.Template), Role: survey.Role(c.Role), By: scoring.Grouping(c.By), ByResponse: c.ByResponse, Items: c.Items}
		q.Filter.Sectors, q.Filter.Tags = c.Sector, c.Tag
		for _, u := range c.Under {
			q.Filter.Under = append(q.Filter.Under, survey.UnitCode(u))
		}
		sum, err := s.Summary(t.ctx, service.Operator(), survey.RoundCode(c.Round), q)
		if err != nil {
			return err
		}
		if c.JSON {
			return writeJSON(t.out, sum.Groups)
		}
		printSummary(t, sum)
		return nil
	})
}

// printSummary draws the table with a bar of bands for each group.
func printSummary(t *terminal, sum *service.RoundSummary) {
	say := func(id string) string { return message.Say(t.lang, id, nil) }
	fmt.Fprintf(t.out, "%s · %s · %s\n", sum.Round.Title.In(t.lang), sum.Template, say("role."+string(sum.Role)))
	rows := append(append([]scoring.Group(nil), sum.Groups...), sum.Overall)
	rows[len(rows)-1].Label = survey.Text{t.lang: say("summary.overall")}
	names := make([]string, len(rows))
	wide := columns(say("summary.group"))
	for i, g := range rows {
		names[i] = strings.TrimSpace(g.Group + " " + g.Label.In(t.lang))
		names[i] = cut(names[i], 44)
		wide = max(wide, columns(names[i]))
	}
	fmt.Fprintf(t.out, "%s %8s %8s %6s %7s %7s %7s ", pad(say("summary.group"), wide), say("summary.in_scope"), say("summary.observed"), "n", say("summary.mean"), say("summary.sd"), say("summary.median"))
	for _, b := range sum.Scheme.Bands {
		fmt.Fprintf(t.out, " %s", padLeft(b.Label.In(t.lang), 10))
	}
	fmt.Fprintln(t.out)
	for i, g := range rows {
		fmt.Fprintf(t.out, "%s %8s %8s %6d %7s %7s %7s ", pad(names[i], wide), count(g.InScope), count(g.Observed), g.N, decimal(g.Mean), decimal(g.SD), decimal(g.Median))
		for _, b := range sum.Scheme.Bands {
			fmt.Fprintf(t.out, " %10s", fmt.Sprintf("%d %3.0f%%", g.Bands[b.Code], 100*g.BandShares[b.Code]))
		}
		fmt.Fprintf(t.out, "  %s", bar(&g, sum.Scheme))
		if g.Small {
			fmt.Fprintf(t.out, " %s", say("summary.small"))
		}
		fmt.Fprintln(t.out)
	}
	for _, it := range sum.Overall.Items {
		if it.Scored {
			fmt.Fprintf(t.out, "%-8s n %7.1f  %s %s  %s\n", it.Item, it.N, percent(it.Share), strings.Repeat("█", share20(it.Share)), it.Label.In(t.lang))
		}
	}
	fmt.Fprintln(t.out, message.Say(t.lang, "summary.as_of", survey.Args{"date": sum.AsOf.String()}))
}

// shades tell the bands apart without colour, the highest band the darkest.
var shades = []string{"█", "▓", "▒", "░", "·"}

// bar draws the shares of the bands in twenty characters.
func bar(g *scoring.Group, scheme *survey.Scheme) string {
	if g.Banded == 0 {
		return ""
	}
	var b strings.Builder
	done, drawn := 0, 0
	for i, band := range scheme.Bands {
		done += g.Bands[band.Code]
		to := (20*done + g.Banded/2) / g.Banded
		b.WriteString(strings.Repeat(shades[min(i, len(shades)-1)], to-drawn))
		drawn = to
	}
	return b.String()
}

func share20(f *float64) int {
	if f == nil {
		return 0
	}
	return int(*f*20 + 0.5)
}

func percent(f *float64) string {
	if f == nil {
		return "     –"
	}
	return fmt.Sprintf("%5.1f%%", 100**f)
}

func decimal(f *float64) string {
	if f == nil {
		return "–"
	}
	return fmt.Sprintf("%.2f", *f)
}

func count(n *int) string {
	if n == nil {
		return "–"
	}
	return fmt.Sprint(*n)
}

// columns is how many columns of a terminal a text takes.
func columns(s string) int {
	n := 0
	for _, r := range s {
		switch width.LookupRune(r).Kind() {
		case width.EastAsianWide, width.EastAsianFullwidth:
			n += 2
		default:
			n++
		}
	}
	return n
}

func cut(s string, most int) string {
	if r := []rune(s); len(r) > most {
		return string(r[:most-1]) + "…"
	}
	return s
}

func pad(s string, to int) string { return s + strings.Repeat(" ", max(0, to-columns(s))) }

func padLeft(s string, to int) string { return strings.Repeat(" ", max(0, to-columns(s))) + s }
