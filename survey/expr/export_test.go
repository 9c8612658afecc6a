package expr

// FunctionNames lists the functions that can be evaluated, for tests.
func FunctionNames() []string { return builtinNames() }

// Messages gives the messages by code, Vietnamese and English, for tests.
func Messages() map[string][2]string { return messages }
