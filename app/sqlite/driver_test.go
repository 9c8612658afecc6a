package sqlite

import (
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/khaosat/khaosat/survey/surveytest"
)

// TestLibcIsTheDriversOwn: the driver is C translated against one version of
// modernc.org/libc, and works reliably with that one only. An update of libc
// by itself, as "go get -u" would make, must not pass.
func TestLibcIsTheDriversOwn(t *testing.T) {
	list := func(format, module string) string {
		out, err := exec.Command("go", "list", "-m", "-f", format, module).Output()
		surveytest.Must(t, err)
		return strings.TrimSpace(string(out))
	}
	goMod, err := os.ReadFile(list("{{.GoMod}}", "modernc.org/sqlite"))
	surveytest.Must(t, err)
	if used := "modernc.org/libc " + list("{{.Version}}", "modernc.org/libc"); !strings.Contains(string(goMod), used+"\n") {
		t.Errorf("in use is %s, which is not what the driver's go.mod asks for:\n%s", used, goMod)
	}
}
