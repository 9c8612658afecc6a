package survey

// Finding is one strength, shortcoming or recommendation of a response.
type Finding struct {
	Role  ItemRole `json:"role"`
	Tags  []string `json:"tags,omitempty"` // choice names of the list's tags
	List  string   `json:"list,omitempty"` // the list they are from
	Text  string   `json:"text,omitempty"`
	Cause string   `json:"cause,omitempty"`
	Owner string   `json:"owner,omitempty"`
	Due   string   `json:"due,omitempty"` // YYYY-MM-DD
	// Share says whether it may be shown to others: "yes", "no" or "".
	Share string `json:"share,omitempty"`
}

// Findings collects the findings of a filled-in form, in form order. Rows in
// which nothing was written are left out.
func (fl *Filled) Findings() []Finding {
	var out []Finding
	for slot := range fl.form.nodes {
		n := &fl.form.nodes[slot]
		if n.inner < 0 || !n.item.Role.Finding() {
			continue
		}
		for _, fr := range fl.frames[n.inner] {
			if f := fl.finding(n, fr); f.Text != "" || len(f.Tags) > 0 {
				out = append(out, f)
			}
		}
	}
	return out
}

func (fl *Filled) finding(repeat *node, fr *frame) Finding {
	f := Finding{Role: repeat.item.Role, List: repeat.item.TagsList}
	for slot := range fl.form.nodes {
		n := &fl.form.nodes[slot]
		if n.scope != fr.scope || n.note >= 0 {
			continue
		}
		c := &fr.cells[n.local]
		if c.State != Answered {
			continue
		}
		text := c.Value.Text()
		switch n.item.Role {
		case RoleTags:
			f.Tags = splitChoices(text)
			if f.List == "" {
				f.List = n.item.List
			}
		case RoleText:
			f.Text = text
		case RoleCause:
			f.Cause = text
		case RoleOwner:
			f.Owner = text
		case RoleDue:
			f.Due = text
		case RoleShare:
			f.Share = text
		}
	}
	return f
}
