package scoring

import "github.com/khaosat/khaosat/survey"

// Beside is two graded ratings of one visit: the lead's and another role's.
type Beside struct {
	Lead, Other Rated
	// Difference is the other's total less the lead's, in points.
	Difference float64
}

// Beside pairs the role's graded ratings with the lead's of the same visits. Of
// the filter the observers narrow the lead's alone. The order is that of the table.
func (t *Table) Beside(q Query, role survey.Role) []Beside {
	q.Role, q.By, q.And, q.ByResponse, q.Items = survey.RoleObserver, ByNothing, "", true, false
	t.mu.RLock()
	defer t.mu.RUnlock()
	p := t.plan(q)
	leads := map[visitKey]rating{}
	for _, r := range p.ratingsOf(survey.RoleObserver) {
		leads[p.visitKeyOf(&r)] = r
	}
	every := *p
	every.observerIn = nil
	var out []Beside
	for _, r := range every.ratingsOf(role) {
		if lead, both := leads[p.visitKeyOf(&r)]; both {
			out = append(out, Beside{p.rated(p.blocks[lead.block], lead.row), p.rated(p.blocks[r.block], r.row), r.total - lead.total})
		}
	}
	return out
}
