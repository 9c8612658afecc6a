package survey

import "time"

// AsOf gives the response as it was at a moment: the content that counted then,
// and the state it had. Nil if it had not come in. Of what an edit may change
// besides, the meeting date follows the content; the form's version and the
// unit's standing are those of now. The receipt and the packed row are not kept
// of earlier content and are left out unless the content is the current one.
func (r *Response) AsOf(at time.Time) *Response {
	then := *r
	if r.ReceivedAt.After(at) {
		last := -1
		for i := range r.Earlier {
			if !r.Earlier[i].ReceivedAt.After(at) {
				last = i
			}
		}
		if last < 0 {
			return nil
		}
		then.Submission, then.Earlier = r.Earlier[last], r.Earlier[:last]
		then.Receipt, then.Packed = nil, nil
		if v, ok := then.Answers.Get(MeetingDateItem); ok && v.Kind == ValueText {
			if day, err := ParseDate(v.Text); err == nil && day != 0 {
				then.MeetingDate = day
			}
		}
	}
	// The first change after the moment tells what the state was before it.
	for i := range r.Events {
		if e := &r.Events[i]; e.At.After(at) && e.Detail["before"] != "" {
			then.State = ReviewState(e.Detail["before"])
			break
		}
	}
	return &then
}
