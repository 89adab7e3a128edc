// The policy: Rego prepared once, one evaluation a call, and its answer in two words.

package main

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/open-policy-agent/opa/v1/ast"
	"github.com/open-policy-agent/opa/v1/rego"
)

// evaluator holds the prepared query for `data.mcp.authz.decision`.
type evaluator struct{ query rego.PreparedEvalQuery }

func policyFiles(places []string) ([]string, error) {
	var files []string
	for _, place := range places {
		err := filepath.WalkDir(place, func(path string, entry fs.DirEntry, err error) error {
			isPolicy := strings.HasSuffix(path, ".rego") && !strings.HasSuffix(path, "_test.rego")
			if err == nil && isPolicy && !entry.IsDir() {
				files = append(files, path)
			}
			return err
		})
		if err != nil {
			return nil, err
		}
	}
	return files, nil
}

func prepare(ctx context.Context, places []string) (*evaluator, error) {
	files, err := policyFiles(places)
	if err != nil {
		return nil, err
	}
	options := []func(*rego.Rego){rego.Query("data.mcp.authz.decision")}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			return nil, err
		}
		options = append(options, rego.Module(file, string(text)))
	}
	query, err := rego.New(options...).PrepareForEval(ctx)
	return &evaluator{query: query}, err
}

// decide answers whether the call is allowed, and by which reason it is refused. No answer, or one of unknown shape, is
// an error and never a "no".
func (e *evaluator) decide(ctx context.Context, input map[string]any) (bool, string, error) {
	value, err := ast.InterfaceToValue(input)
	if err != nil {
		return false, "", err
	}
	results, err := e.query.Eval(ctx, rego.EvalParsedInput(value))
	if err != nil {
		return false, "", err
	}
	if len(results) != 1 || len(results[0].Expressions) != 1 {
		return false, "", errors.New("the policy gives no single answer")
	}
	decision, isObject := results[0].Expressions[0].Value.(map[string]any)
	if !isObject {
		return false, "", errors.New("the policy answers with no object")
	}
	allow, isBoolean := decision["allow"].(bool)
	if !isBoolean {
		return false, "", errors.New("the policy does not say whether it allows")
	}
	reason, _ := decision["reason"].(string)
	return allow, reason, nil
}
