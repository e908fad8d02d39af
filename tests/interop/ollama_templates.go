// Holds our templates for Ollama against Go's own template engine, which Ollama runs them in.
//
// Reads a JSON list of {"template", "messages": [{"role", "content"}], "text"} from standard input and fails
// where a template gives another text. Run (tests/interop/README.md): node scripts/run.mjs
// tests/interop/ollamaTemplates.ts FOLDER samples.json && go run tests/interop/ollama_templates.go < samples.json
package main

import (
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"text/template"
)

type message struct {
	Role    string `json:"role"`
	Content string `json:"content"`
}

type sample struct {
	Name     string    `json:"name"`
	Template string    `json:"template"`
	Messages []message `json:"messages"`
	Text     string    `json:"text"`
}

func main() {
	var samples []sample
	if err := json.NewDecoder(os.Stdin).Decode(&samples); err != nil {
		panic(err)
	}
	different := 0
	for _, s := range samples {
		parsed, err := template.New(s.Name).Parse(s.Template)
		var out strings.Builder
		if err == nil {
			err = parsed.Execute(&out, map[string]any{"Messages": s.Messages})
		}
		if err != nil || out.String() != s.Text {
			different++
			fmt.Printf("%s: %v\n  expected %q\n  got      %q\n", s.Name, err, s.Text, out.String())
		}
	}
	fmt.Printf("%d of %d prompts differ\n", different, len(samples))
	if different > 0 || len(samples) == 0 {
		os.Exit(1)
	}
}
