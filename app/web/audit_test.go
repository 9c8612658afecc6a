package web

import (
	"strings"
	"testing"
)

// The log tells the newest first, a page at a time, to each what lies in the
// scope, and no secret.
func TestTheAuditLog(t *testing.T) {
	r := newRig(t)
	type page struct {
		Items []auditJSON
		Next  string
	}
	read := func(as, query string) page {
		return into[page](t, r.ask("GET", "/api/v1/audit?"+query, nil, r.as(as)).want(t, 200))
	}
	inPart, outside := r.rated(true)[0], r.rated(false)[0]
	approve := func(path string) {
		r.ask("POST", path+"/review", map[string]string{"decision": "return", "comment": "Xin ghi rõ"}, r.as("all.reviewer"), header{"If-Match", `"1"`}).want(t, 200)
	}
	approve(r.responseAbout(inPart))
	approve(r.responseAbout(outside))

	all := read("all.admin", "limit=5")
	if len(all.Items) != 5 || all.Next == "" || all.Items[0].Action != "response.returned" || all.Items[0].By != "all.reviewer" || string(all.Items[0].Unit) != string(outside) || all.Items[0].Detail["comment"] != "Xin ghi rõ" {
		t.Errorf("the newest are %+v", all.Items)
	}
	seen, before := map[string]bool{}, ""
	for n, query := 0, "kind=response&limit=1000"; ; n++ {
		p := read("all.admin", query+before)
		for _, e := range p.Items {
			key := e.ID + e.Action + e.At.String()
			if seen[key] {
				t.Fatalf("%s comes twice", key)
			}
			seen[key] = true
		}
		if p.Next == "" {
			break
		}
		before = "&before=" + p.Next
	}
	if len(seen) < 200 {
		t.Errorf("only %d entries are about responses", len(seen))
	}
	for _, e := range read("part.manager", "by=all.reviewer").Items {
		if e.Unit != inPart {
			t.Errorf("a manager of a part reads of %s", e.Unit)
		}
	}
	if got := read("part.manager", "kind=person"); len(got.Items) != 0 {
		t.Errorf("a manager reads of accounts: %+v", got.Items[0])
	}
	for _, e := range read("all.admin", "kind=token&limit=1000").Items {
		if e.ID != "" {
			t.Fatalf("a token is named: %+v", e)
		}
	}
	html := header{"Accept", "text/html"}
	for _, lang := range []string{"vi", "en"} {
		for _, kind := range []string{"", "response", "assignment", "person", "token", "template", "round", "unit"} {
			a := r.ask("GET", "/audit?lang="+lang+"&kind="+kind, nil, r.as("all.admin"), html).want(t, 200)
			if strings.Contains(string(a.body), "action.") || strings.Contains(string(a.body), "audit.") {
				t.Errorf("a message is missing in %s: %s", lang, clip(a.body))
			}
		}
	}
	r.ask("GET", "/audit?by=all.reviewer&lang=en", nil, r.as("all.manager"), html).want(t, 200).shows(t, "returned", "Xin ghi rõ", "all.reviewer")
	r.ask("GET", "/audit?by=nobody", nil, r.as("all.manager"), html).want(t, 404).shows(t, `role="alert"`)
}
