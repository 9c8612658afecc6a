// Package openrosa turns templates into the XForms that ODK Collect and its kin
// fill in, reads what they send back, and writes the small documents of the
// OpenRosa protocol. It is pure: bytes in, bytes out. README.md says how the
// clients behave where that differs from what is written about them.
package openrosa
