package web

import (
	"go.yaml.in/yaml/v3"
)

// apiOutline is the description of the API as far as its page tells of it.
type apiOutline struct {
	Summary, Description string
	Operations           []apiOperation
}

type apiOperation struct {
	Method, Path string
	Summary      string       `yaml:"summary"`
	Description  string       `yaml:"description"`
	Parameters   []apiNamed   `yaml:"parameters"`
	Responses    apiResponses `yaml:"responses"`
}

type apiNamed struct {
	Name        string `yaml:"name"`
	In          string `yaml:"in"`
	Description string `yaml:"description"`
}

// apiResponses are the statuses in the order of the description.
type apiResponses []string

// UnmarshalYAML reads the keys, in order.
func (r *apiResponses) UnmarshalYAML(n *yaml.Node) error {
	for i := 0; i+1 < len(n.Content); i += 2 {
		if status := n.Content[i].Value; status != "default" {
			*r = append(*r, status)
		}
	}
	return nil
}

// methods in the order in which the page lists them.
var methods = []string{"GET", "POST", "PUT"}

// outlineAPI reads the description.
func outlineAPI(description []byte) (*apiOutline, error) {
	var document struct {
		Info struct {
			Summary     string `yaml:"summary"`
			Description string `yaml:"description"`
		} `yaml:"info"`
		Paths yaml.Node `yaml:"paths"`
	}
	if err := yaml.Unmarshal(description, &document); err != nil {
		return nil, err
	}
	out := &apiOutline{Summary: document.Info.Summary, Description: document.Info.Description}
	paths := document.Paths.Content
	for i := 0; i+1 < len(paths); i += 2 {
		var item struct {
			Get  *apiOperation `yaml:"get"`
			Post *apiOperation `yaml:"post"`
			Put  *apiOperation `yaml:"put"`
		}
		if err := paths[i+1].Decode(&item); err != nil {
			return nil, err
		}
		for j, o := range []*apiOperation{item.Get, item.Post, item.Put} {
			if o != nil {
				o.Method, o.Path = methods[j], paths[i].Value
				out.Operations = append(out.Operations, *o)
			}
		}
	}
	return out, nil
}
