package survey

// AssignmentStatus says what became of the plan. Whether the visit took place
// is not kept here: it follows from the response that holds the visit.
type AssignmentStatus string

const (
	// AssignmentPlanned is an assignment as it was made.
	AssignmentPlanned AssignmentStatus = ""
	// AssignmentPostponed: the visit was put off to a new due date.
	AssignmentPostponed AssignmentStatus = "postponed"
	// AssignmentCancelled: nobody is asked for the visit any more.
	AssignmentCancelled AssignmentStatus = "cancelled"
	// AssignmentSubstituted: another unit is visited instead of this one.
	AssignmentSubstituted AssignmentStatus = "substituted"
)

// AssignmentStatuses lists them in their usual order.
var AssignmentStatuses = []AssignmentStatus{AssignmentPlanned, AssignmentPostponed, AssignmentCancelled, AssignmentSubstituted}

// Open reports whether somebody is asked for the visit.
func (s AssignmentStatus) Open() bool { return s == AssignmentPlanned || s == AssignmentPostponed }

// Word gives the status as a word: "planned" for the empty one.
func (s AssignmentStatus) Word() string {
	if s == AssignmentPlanned {
		return "planned"
	}
	return string(s)
}

// Assignment asks one observer for one visit. Its history is its events.
type Assignment struct {
	ID AssignmentID `json:"id"`
	VisitKey
	Observer PersonID         `json:"observer"`
	Due      Date             `json:"due,omitempty"`
	Status   AssignmentStatus `json:"status,omitempty"`
	// Reason says why the assignment is not as it was first made.
	Reason string `json:"reason,omitempty"`
	// Unplanned says that the observer added the visit.
	Unplanned bool `json:"unplanned,omitempty"`
	// InPlaceOf is the assignment that this one was made instead of.
	InPlaceOf AssignmentID `json:"in_place_of,omitempty"`
	Rev       int64        `json:"rev"`
	Events    []Event      `json:"events,omitempty"`
}

// Overdue reports whether the visit should have taken place before today, if
// it has not.
func (a *Assignment) Overdue(today Date) bool {
	return a.Status.Open() && a.Due != 0 && a.Due < today
}

// AssignedVisit is what coverage and lists need to know of an assignment.
type AssignedVisit struct {
	VisitKey
	ID       AssignmentID
	Observer PersonID
	Due      Date // zero if there is none
	Status   AssignmentStatus
}

// ConflictOf gives the code of why a person must not give a rating of the unit
// in the role, "" if nothing speaks against it. Nobody observes the own chapter,
// nor one beneath the committee that the person belongs to. A unit rates itself,
// and a superior committee its own chapters.
func ConflictOf(p *Person, unit *Standing, role Role) string {
	switch {
	case p.Home == "" || role == RoleSelf || role == RoleMembers:
		return ""
	case p.Home == unit.Unit:
		return "assignment.own_unit"
	case role != RoleSuperior && unit.Under(p.Home):
		return "assignment.own_superior"
	}
	return ""
}
