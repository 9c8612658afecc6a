package openrosa

import (
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"strings"
	"time"

	"github.com/khaosat/khaosat/survey"
)

// Bounds of what is read: no real form comes near them, and whatever is sent is
// read, or refused, in time that goes by its length.
const (
	// MaxXML is the largest filled-in form in bytes, photos apart.
	MaxXML   = 8 << 20
	maxDepth = 64
	maxNodes = 200_000
)

// Document is a filled-in form as a client sent it, before it is known which
// template it is an instance of.
type Document struct {
	// FormID and Version are what the root element says; Version may be "".
	FormID, Version string
	// InstanceID is as it was sent, "uuid:" and all; "" if there is none.
	InstanceID string
	// DeprecatedID is the instance that this one replaces, "".
	DeprecatedID string
	InstanceName string
	// Audit is the name of the file with the client's log, "".
	Audit string
	// Encrypted says that the answers are in a file that we cannot read;
	// Attachments of it are the files it names.
	Encrypted   bool
	Attachments []string
	root        *element
}

// element is one node of a document, names without namespaces.
type element struct {
	name     string
	attrs    []xml.Attr
	text     string
	read     []byte // the text while it is being read: comments cut it into many parts
	children []*element
}

func refused(code string, args survey.Args, err error) error {
	return &survey.Error{Kind: survey.Invalid, Code: code, Args: args, Err: err}
}

// Open reads the XML of a filled-in form. What is no well-formed XML in UTF-8,
// declares a document type or entities, or is nested or long beyond all
// measure, is Invalid.
func Open(b []byte) (*Document, error) {
	root, err := parse(b)
	if err != nil {
		return nil, err
	}
	d := &Document{root: root, FormID: root.attr("id"), Version: root.attr("version"), Encrypted: root.attr("encrypted") == "yes"}
	if d.FormID == "" { // the older way to say which form it is
		d.FormID = root.attr("xmlns")
	}
	if meta := root.child("meta"); meta != nil {
		d.InstanceID = meta.textOf("instanceID")
		d.DeprecatedID = meta.textOf("deprecatedID")
		d.InstanceName = meta.textOf("instanceName")
		d.Audit = meta.textOf("audit")
	}
	if d.InstanceID == "" {
		d.InstanceID = strings.TrimSpace(root.attr("instanceID"))
	}
	if d.Encrypted {
		for _, c := range root.children {
			switch c.name {
			case "encryptedXmlFile":
				d.Attachments = append(d.Attachments, strings.TrimSpace(c.text))
			case "media":
				if f := c.textOf("file"); f != "" {
					d.Attachments = append(d.Attachments, f)
				}
			}
		}
	}
	return d, nil
}

func parse(b []byte) (*element, error) {
	if len(b) > MaxXML {
		return nil, refused("openrosa.too_long", nil, nil)
	}
	dec := xml.NewDecoder(bytes.NewReader(bytes.TrimPrefix(b, []byte("\uFEFF"))))
	var stack []*element
	var root *element
	nodes := 0
	for {
		tok, err := dec.RawToken()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, refused("openrosa.not_xml", nil, err)
		}
		switch tok := tok.(type) {
		case xml.Directive:
			return nil, refused("openrosa.doctype", nil, nil)
		case xml.StartElement:
			if nodes++; nodes > maxNodes || len(stack) >= maxDepth {
				return nil, refused("openrosa.too_deep", nil, nil)
			}
			e := &element{name: tok.Name.Local, attrs: tok.Attr}
			if len(stack) > 0 {
				up := stack[len(stack)-1]
				up.children = append(up.children, e)
			} else if root != nil {
				return nil, refused("openrosa.not_xml", nil, errors.New("a second root element"))
			} else {
				root = e
			}
			stack = append(stack, e)
		case xml.EndElement:
			// RawToken does not match ends with beginnings.
			if len(stack) == 0 || stack[len(stack)-1].name != tok.Name.Local {
				return nil, refused("openrosa.not_xml", nil, errors.New("an end tag that ends nothing"))
			}
			top := stack[len(stack)-1]
			top.text, top.read = string(top.read), nil
			stack = stack[:len(stack)-1]
		case xml.CharData:
			if len(stack) > 0 {
				top := stack[len(stack)-1]
				if len(top.children) == 0 { // text among elements is only layout
					top.read = append(top.read, tok...)
				}
			} else if len(bytes.TrimSpace(tok)) > 0 {
				return nil, refused("openrosa.not_xml", nil, errors.New("text outside of the root element"))
			}
		}
	}
	if root == nil || len(stack) > 0 {
		return nil, refused("openrosa.not_xml", nil, io.ErrUnexpectedEOF)
	}
	return root, nil
}

// attr reads an attribute by its name without namespace.
func (e *element) attr(name string) string {
	for _, a := range e.attrs {
		if a.Name.Local == name {
			return a.Value
		}
	}
	return ""
}

func (e *element) child(name string) *element {
	for _, c := range e.children {
		if c.name == name {
			return c
		}
	}
	return nil
}

func (e *element) textOf(name string) string {
	if c := e.child(name); c != nil {
		return strings.TrimSpace(c.text)
	}
	return ""
}

// moment reads a client's date and time, nil if it is none.
func moment(s string) *time.Time {
	t, err := time.Parse(time.RFC3339Nano, wholeOffset(strings.TrimSpace(s)))
	if err != nil {
		return nil
	}
	return &t
}

// wholeOffset completes the offset of a time: some clients write +07 for +07:00
// or +0700.
func wholeOffset(s string) string {
	i := strings.LastIndexAny(s, "+-")
	if t := strings.IndexByte(s, 'T'); i < 0 || (t >= 0 && i < t) || (t < 0 && strings.Count(s, "-") > 1) {
		return s
	}
	switch offset := s[i+1:]; {
	case len(offset) == 2:
		return s + ":00"
	case len(offset) == 4 && !strings.Contains(offset, ":"):
		return s[:i+3] + ":" + offset[2:]
	}
	return s
}
