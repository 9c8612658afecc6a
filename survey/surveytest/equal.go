package surveytest

import (
	"bytes"
	"errors"
	"fmt"
	"iter"
	"reflect"
	"testing"
	"time"

	"github.com/khaosat/khaosat/survey"
)

// WantSame fails the test when what was read differs from what was stored, as
// far as a store promises to keep it: times must come back in UTC and cut to
// milliseconds; nil and empty lists are the same.
func WantSame(t testing.TB, got, want any) {
	t.Helper()
	if diff := Diff(got, want); diff != "" {
		t.Errorf("read back differs: %s", diff)
	}
}

// Diff names the first place where what was read differs from what was stored,
// "" if none does; see WantSame.
func Diff(got, want any) string {
	return diff("", reflect.ValueOf(got), reflect.ValueOf(want))
}

var timeType = reflect.TypeFor[time.Time]()

func diff(at string, got, want reflect.Value) string {
	if got.Type() != want.Type() {
		return fmt.Sprintf("%s: is a %s, want a %s", at, got.Type(), want.Type())
	}
	if got.Type() == timeType {
		return diffTime(at, got.Interface().(time.Time), want.Interface().(time.Time))
	}
	switch got.Kind() {
	case reflect.Pointer:
		return diffPointer(at, got, want)
	case reflect.Struct:
		for i := range got.NumField() {
			if d := diff(at+"."+got.Type().Field(i).Name, got.Field(i), want.Field(i)); d != "" {
				return d
			}
		}
		return ""
	case reflect.Slice:
		return diffSlice(at, got, want)
	case reflect.Map:
		return diffMap(at, got, want)
	}
	if !got.Equal(want) {
		return fmt.Sprintf("%s: got %#v, want %#v", at, got.Interface(), want.Interface())
	}
	return ""
}

func diffTime(at string, got, want time.Time) string {
	if want = want.UTC().Truncate(time.Millisecond); !got.Equal(want) || got.Location() != time.UTC {
		return fmt.Sprintf("%s: got %v, want %v", at, got, want)
	}
	return ""
}

func diffPointer(at string, got, want reflect.Value) string {
	if got.IsNil() != want.IsNil() {
		return fmt.Sprintf("%s: nil is %v, want %v", at, got.IsNil(), want.IsNil())
	}
	if got.IsNil() {
		return ""
	}
	return diff(at, got.Elem(), want.Elem())
}

func diffSlice(at string, got, want reflect.Value) string {
	if got.Len() != want.Len() {
		return fmt.Sprintf("%s: %d elements, want %d", at, got.Len(), want.Len())
	}
	if got.Type().Elem().Kind() == reflect.Uint8 && bytes.Equal(got.Bytes(), want.Bytes()) {
		return ""
	}
	for i := range got.Len() {
		if d := diff(fmt.Sprintf("%s[%d]", at, i), got.Index(i), want.Index(i)); d != "" {
			return d
		}
	}
	return ""
}

func diffMap(at string, got, want reflect.Value) string {
	if got.Len() != want.Len() {
		return fmt.Sprintf("%s: %d keys, want %d", at, got.Len(), want.Len())
	}
	for _, k := range want.MapKeys() {
		g := got.MapIndex(k)
		if !g.IsValid() {
			return fmt.Sprintf("%s[%v]: missing", at, k)
		}
		if d := diff(fmt.Sprintf("%s[%v]", at, k), g, want.MapIndex(k)); d != "" {
			return d
		}
	}
	return ""
}

// WantError fails the test unless the error has the kind and, where one is
// given, the code.
func WantError(t testing.TB, err error, kind survey.Kind, code string) {
	t.Helper()
	if err == nil || survey.KindOf(err) != kind || (code != "" && survey.CodeOf(err) != code) {
		t.Fatalf("error is %v, want %s %s", err, kind, code)
	}
}

// argsOf gives the arguments of the first survey.Error in the chain.
func argsOf(err error) survey.Args {
	var e *survey.Error
	if errors.As(err, &e) {
		return e.Args
	}
	return nil
}

// Must fails the test at once if there is an error.
func Must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// Collect reads an iterator to its end and fails the test if that is an error.
func Collect[T any](t testing.TB, seq iter.Seq2[T, error]) []T {
	t.Helper()
	var all []T
	for v, err := range seq {
		Must(t, err)
		all = append(all, v)
	}
	return all
}
