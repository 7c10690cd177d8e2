package main

import (
	"os/exec"
	"strings"
	"testing"
)

// AWS is in the Lambda function, and in no other program.
func TestAWSIsLinkedOnce(t *testing.T) {
	for program, want := range map[string]bool{"tidemark": false, "tidemark-cloud": false, "tidemark-traffic": false, "tidemark-traffic/lambda": true} {
		out, err := exec.Command("go", "list", "-deps", "-f", "{{.ImportPath}}", "tidemark/cmd/"+program).Output()
		if err != nil {
			t.Fatalf("%s: %v", program, err)
		}
		if got := strings.Contains(string(out), "github.com/aws/"); got != want {
			t.Errorf("%s: AWS is linked: %t", program, got)
		}
	}
}
