package survey

// TypeLists are the three independent axes by which units are classified, and
// the tags. They are data: another organisation has its own. There is one set
// per installation.
type TypeLists struct {
	Structures []Structure `json:"structures"`
	Sectors    []Sector    `json:"sectors"`
	Rollups    []TypeCode  `json:"rollups"`
	Settings   []TypeCode  `json:"settings"`
	Tags       []TypeCode  `json:"tags"`
	Rev        int64       `json:"rev"`
}

// TypeCode is one line of a list.
type TypeCode struct {
	Code  string `json:"code"`
	Label Text   `json:"label"`
}

// Structure says how a unit is attached to the tree. Units of an assessed
// structure are the chapters that rounds are about.
type Structure struct {
	TypeCode
	Assessed bool `json:"assessed"`
}

// Sector is an organisation type. Parent is the sector that this one is a
// part of, Rollup the broader group that both count under; either may be "".
type Sector struct {
	TypeCode
	Parent string `json:"parent,omitempty"`
	Rollup string `json:"rollup,omitempty"`
}

// Structure finds a structure by code.
func (l *TypeLists) Structure(code string) (Structure, bool) {
	return find(l.Structures, func(s Structure) bool { return s.Code == code })
}

// Sector finds a sector by code.
func (l *TypeLists) Sector(code string) (Sector, bool) {
	return find(l.Sectors, func(s Sector) bool { return s.Code == code })
}

// Setting finds a setting by code.
func (l *TypeLists) Setting(code string) (TypeCode, bool) {
	return find(l.Settings, func(s TypeCode) bool { return s.Code == code })
}

// Tag finds a tag by code.
func (l *TypeLists) Tag(code string) (TypeCode, bool) {
	return find(l.Tags, func(s TypeCode) bool { return s.Code == code })
}

// Rollup finds a roll-up by code.
func (l *TypeLists) Rollup(code string) (TypeCode, bool) {
	return find(l.Rollups, func(s TypeCode) bool { return s.Code == code })
}

// SectorUnder reports whether sector is code itself, lies under it through
// parents, or rolls up to it.
func (l *TypeLists) SectorUnder(sector, code string) bool {
	for range len(l.Sectors) + 1 { // bounded: a cycle among parents must not hang
		if sector == code {
			return true
		}
		s, ok := l.Sector(sector)
		if !ok {
			return false
		}
		if s.Rollup == code {
			return true
		}
		if s.Parent == "" {
			return false
		}
		sector = s.Parent
	}
	return false
}

func find[T any](list []T, is func(T) bool) (T, bool) {
	for _, v := range list {
		if is(v) {
			return v, true
		}
	}
	var none T
	return none, false
}
