package survey

// Operation is something a person may or may not do.
type Operation string

const (
	OpReadTemplates   Operation = "read_templates"
	OpWriteTemplates  Operation = "write_templates"
	OpReadUnits       Operation = "read_units"
	OpWriteUnits      Operation = "write_units"
	OpReadRounds      Operation = "read_rounds"
	OpWriteRounds     Operation = "write_rounds"
	OpReadAssignments Operation = "read_assignments"
	OpAssign          Operation = "assign"
	OpAddVisit        Operation = "add_visit"
	OpPutOffVisit     Operation = "put_off_visit"
	OpSubmit          Operation = "submit"
	OpReadResponses   Operation = "read_responses"
	OpReview          Operation = "review"
	OpSummarize       Operation = "summarize"
	OpExport          Operation = "export"
	OpReadAudit       Operation = "read_audit"
	OpManagePeople    Operation = "manage_people"
	OpOwnAccount      Operation = "own_account"
)

// Reach is how far an operation goes for a role.
type Reach uint8

const (
	// Nothing: not at all.
	Nothing Reach = iota
	// Own: what is assigned to, written by or about the person alone.
	Own
	// InScope: the unit of the person's scope and everything under it.
	InScope
)

// Policy is the one table that says who may do what. What is not in it may
// nobody do. Admins have the whole tree unless their scope says otherwise.
var Policy = map[Operation]map[AccountRole]Reach{
	OpReadTemplates:   {Admin: InScope, Manager: InScope, Analyst: InScope, Reviewer: InScope, Observer: InScope, Respondent: InScope},
	OpWriteTemplates:  {Admin: InScope},
	OpReadUnits:       {Admin: InScope, Manager: InScope, Analyst: InScope, Reviewer: InScope, Observer: InScope, Respondent: InScope},
	OpWriteUnits:      {Admin: InScope},
	OpReadRounds:      {Admin: InScope, Manager: InScope, Analyst: InScope, Reviewer: InScope, Observer: InScope, Respondent: InScope},
	OpWriteRounds:     {Admin: InScope, Manager: InScope},
	OpReadAssignments: {Admin: InScope, Manager: InScope, Analyst: InScope, Reviewer: InScope, Observer: Own, Respondent: Own},
	OpAssign:          {Admin: InScope, Manager: InScope},
	OpAddVisit:        {Admin: InScope, Manager: InScope, Observer: Own},
	OpPutOffVisit:     {Admin: InScope, Manager: InScope, Observer: Own},
	OpSubmit:          {Admin: InScope, Manager: InScope, Observer: Own, Respondent: Own},
	OpReadResponses:   {Admin: InScope, Manager: InScope, Analyst: InScope, Reviewer: InScope, Observer: Own, Respondent: Own},
	OpReview:          {Admin: InScope, Manager: InScope, Reviewer: InScope},
	OpSummarize:       {Admin: InScope, Manager: InScope, Analyst: InScope, Reviewer: InScope},
	OpExport:          {Admin: InScope, Manager: InScope, Analyst: InScope},
	OpReadAudit:       {Admin: InScope, Manager: InScope},
	OpManagePeople:    {Admin: InScope},
	OpOwnAccount:      {Admin: Own, Manager: Own, Analyst: Own, Reviewer: Own, Observer: Own, Respondent: Own},
}

// May gives how far the operation goes for the person; Nothing for a disabled
// account and for nobody.
func May(p *Person, op Operation) Reach {
	if p == nil || p.Disabled {
		return Nothing
	}
	return Policy[op][p.Role]
}

// Covers reports whether the unit lies in the person's scope.
func (p *Person) Covers(unit *Standing) bool { return p.Scope == "" || unit.Under(p.Scope) }
