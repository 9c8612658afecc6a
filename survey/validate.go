package survey

// Validate applies the rules of the form to what was filled in: required
// items, constraints, evidence notes, checks over the whole form. It gives
// those problems together with the ones found when the answers were put in, in
// form order.
func (fl *Filled) Validate() Problems {
	for slot := range fl.form.nodes {
		n := &fl.form.nodes[slot]
		if n.kind.HasItems() || n.kind == KindNote {
			continue
		}
		for _, fr := range fl.frames[n.scope] {
			fl.validateCell(slot, n, fr)
		}
	}
	for i := range fl.form.checks {
		k := &fl.form.checks[i]
		if fl.Eval(k.test, -1, nil).Truth() {
			continue
		}
		p := Problem{Code: "check.failed", Args: Args{"check": k.check.Code}, Text: k.check.Label}
		if k.slot >= 0 && fl.form.nodes[k.slot].scope == 0 {
			fl.report(k.slot, fl.frames[0][0], p)
			continue
		}
		p.Severity = SeverityError
		p.Place = Place{Item: k.check.Item}
		fl.found = append(fl.found, foundProblem{slot: len(fl.form.nodes) + 1 + i, problem: p})
	}
	return fl.Problems()
}

func (fl *Filled) validateCell(slot int, n *node, fr *frame) {
	c := &fr.cells[n.local]
	if c.State == NotAsked {
		return
	}
	fl.env.frame, fl.env.score, fl.env.self = fr, nil, c.Value
	if c.State == Blank {
		if fl.isRequired(n, fr) && !fl.hasError(slot, fr) {
			p := Problem{Code: "answer.required", Text: n.item.RequiredMessage}
			if n.note >= 0 {
				p = Problem{Code: "answer.evidence_required", Args: Args{"of": n.item.Name}}
			}
			fl.report(slot, fr, p)
		}
		return
	}
	if n.constraint != nil && n.kind != KindCalculate && !n.constraint.Eval(&fl.env).Truth() {
		p := Problem{Code: "answer.constraint", Args: Args{"rule": n.item.Constraint}, Text: n.item.ConstraintMessage}
		if c.given != nil {
			p.Value = c.given.shown()
		}
		fl.report(slot, fr, p)
	}
}

// isRequired reports whether the node must not be blank in this frame.
func (fl *Filled) isRequired(n *node, fr *frame) bool {
	if n.note >= 0 {
		if n.evidence == nil {
			return false
		}
		fl.env.self = fl.cell(n.note, fr).Value
		return n.evidence.Eval(&fl.env).Truth()
	}
	if n.kind == KindCalculate {
		return false // nobody can fill it in; what it is worked out from is required
	}
	return n.requireAlways || (n.required != nil && n.required.Eval(&fl.env).Truth())
}

// hasError reports whether the cell is blank because what was given did not fit.
func (fl *Filled) hasError(slot int, fr *frame) bool {
	for i := range fl.found {
		if fl.found[i].slot == slot && fl.found[i].index == fr.index && fl.found[i].problem.Severity == SeverityError {
			return true
		}
	}
	return false
}
