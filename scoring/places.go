package scoring

import (
	"hash/maphash"
	"slices"
)

// numbering gives texts small numbers in the order in which they first appear.
// A round has hundreds of thousands of units, so it is frugal: the texts lie one
// behind the other, and the index is a table of numbers (open addressing, linear
// probing), together about twenty bytes a text.
type numbering struct {
	seed  maphash.Seed
	bytes []byte
	ends  []uint32 // behind each text in bytes
	index []uint32 // number plus one; 0: free; the length is a power of two
}

func newNumbering() numbering { return numbering{seed: maphash.MakeSeed()} }

func (n *numbering) len() int { return len(n.ends) }

func (n *numbering) text(i uint32) []byte {
	from := uint32(0)
	if i > 0 {
		from = n.ends[i-1]
	}
	return n.bytes[from:n.ends[i]]
}

func (n *numbering) name(i uint32) string { return string(n.text(i)) }

// names gives all texts by their numbers.
func (n *numbering) names() []string {
	out := make([]string, n.len())
	for i := range out {
		out[i] = n.name(uint32(i))
	}
	return out
}

func (n *numbering) is(i uint32, s []byte) bool { return string(n.text(i)) == string(s) }

// find gives the place of a text in the index: where its number is, or the free
// place where it would stand.
func (n *numbering) find(s []byte) (at uint64, known bool) {
	mask := uint64(len(n.index) - 1)
	for at = maphash.Bytes(n.seed, s) & mask; n.index[at] != 0; at = (at + 1) & mask {
		if n.is(n.index[at]-1, s) {
			return at, true
		}
	}
	return at, false
}

// known gives a text's number if it has one.
func (n *numbering) known(s []byte) (uint32, bool) {
	if len(n.index) == 0 {
		return 0, false
	}
	at, known := n.find(s)
	return n.index[at] - 1, known
}

func (n *numbering) number(s []byte) uint32 {
	if 4*(len(n.ends)+1) > 3*len(n.index) {
		n.widen()
	}
	at, known := n.find(s)
	if !known {
		n.bytes = append(n.bytes, s...)
		n.ends = append(n.ends, uint32(len(n.bytes)))
		n.index[at] = uint32(len(n.ends))
	}
	return n.index[at] - 1
}

func (n *numbering) numberOf(s string) uint32 { return n.number([]byte(s)) }

func (n *numbering) widen() {
	n.index = make([]uint32, max(16, 2*len(n.index)))
	for i := range n.ends {
		at, _ := n.find(n.text(uint32(i)))
		n.index[at] = uint32(i) + 1
	}
}

func (n *numbering) compact() { n.bytes, n.ends = tight(n.bytes), tight(n.ends) }

// places numbers where units stood when they were assessed: path, axes, tags.
type places struct {
	units                                  numbering
	structures, sectors, settings, tagSets numbering
	nodes                                  []pathNode
	all                                    []place
	tags                                   [][]string // by tag set
	// nodeOf and placeOf find a unit's first node and a node's first place: the
	// index plus one, 0 for none. Nearly all have no other; those of units that
	// moved or changed are chained from there.
	nodeOf, placeOf []uint32
	moreNodes       map[uint32][]uint32
	morePlaces      map[uint32][]uint32
}

// pathNode is a unit under a certain path. Parents have lower numbers.
type pathNode struct {
	parent uint32 // index in nodes plus one; 0: a root
	unit   uint32
	depth  uint32
}

type place struct {
	node                               uint32
	structure, sector, setting, tagSet uint16
}

func newPlaces() places {
	return places{units: newNumbering(), structures: newNumbering(), sectors: newNumbering(), settings: newNumbering(),
		tagSets: newNumbering(), moreNodes: map[uint32][]uint32{}, morePlaces: map[uint32][]uint32{}}
}

// maxDepth bounds a unit's path; far above any tree's.
const maxDepth = 64

// parsedPlace is a place in its packed form, taken apart.
type parsedPlace struct {
	path                               [maxDepth][]byte
	depth                              int
	structure, sector, setting, tagSet []byte
}

func (pp *parsedPlace) read(packed []byte) bool {
	r := reader{b: packed}
	depth := r.uvarint()
	if depth == 0 || depth > maxDepth {
		return false
	}
	pp.depth = int(depth)
	for i := range pp.depth {
		pp.path[i] = r.text()
	}
	pp.structure, pp.sector, pp.setting = r.text(), r.text(), r.text()
	pp.tagSet = r.b
	return !r.failed
}

// number gives the number of a place in its packed form.
func (p *places) number(packedPlace []byte) (uint32, error) {
	var pp parsedPlace
	if !pp.read(packedPlace) {
		return 0, errPacked
	}
	node, known := p.findNode(&pp)
	if known {
		if at, known := p.findPlace(node, &pp); known {
			return at, nil
		}
	}
	tags, err := readTags(pp.tagSet)
	if err != nil {
		return 0, err
	}
	if !known {
		node = p.addNodes(&pp)
	}
	pl := place{node: node, structure: uint16(p.structures.number(pp.structure)), sector: uint16(p.sectors.number(pp.sector)),
		setting: uint16(p.settings.number(pp.setting)), tagSet: uint16(p.tagSets.number(pp.tagSet))}
	if int(pl.tagSet) == len(p.tags) {
		p.tags = append(p.tags, tags)
	}
	at := uint32(len(p.all))
	p.all = append(p.all, pl)
	chain(&p.placeOf, p.morePlaces, node, at)
	return at, nil
}

func readTags(packed []byte) ([]string, error) {
	r := reader{b: packed}
	count := r.uvarint()
	var tags []string
	for i := uint64(0); i < count && !r.failed; i++ {
		tags = append(tags, string(r.text()))
	}
	if r.failed || len(r.b) != 0 {
		return nil, errPacked
	}
	return tags, nil
}

// chain notes that `of` has `at`, as its first or as a further one.
func chain(first *[]uint32, more map[uint32][]uint32, of, at uint32) {
	for int(of) >= len(*first) {
		*first = append(*first, 0)
	}
	if (*first)[of] == 0 {
		(*first)[of] = at + 1
	} else {
		more[of] = append(more[of], at)
	}
}

// chained finds the one that fits among those of `of`.
func chained(first []uint32, more map[uint32][]uint32, of uint32, fits func(at uint32) bool) (uint32, bool) {
	if int(of) >= len(first) || first[of] == 0 {
		return 0, false
	}
	if at := first[of] - 1; fits(at) {
		return at, true
	}
	if others := more[of]; others != nil {
		if i := slices.IndexFunc(others, fits); i >= 0 {
			return others[i], true
		}
	}
	return 0, false
}

func (p *places) findNode(pp *parsedPlace) (uint32, bool) {
	unit, known := p.units.known(pp.path[pp.depth-1])
	if !known {
		return 0, false
	}
	return chained(p.nodeOf, p.moreNodes, unit, func(at uint32) bool {
		for i := pp.depth - 1; ; i-- {
			n := p.nodes[at]
			if int(n.depth) != i || !p.units.is(n.unit, pp.path[i]) {
				return false
			}
			if i == 0 {
				return true
			}
			at = n.parent - 1
		}
	})
}

func (p *places) findPlace(node uint32, pp *parsedPlace) (uint32, bool) {
	return chained(p.placeOf, p.morePlaces, node, func(at uint32) bool {
		pl := p.all[at]
		return p.structures.is(uint32(pl.structure), pp.structure) && p.sectors.is(uint32(pl.sector), pp.sector) &&
			p.settings.is(uint32(pl.setting), pp.setting) && p.tagSets.is(uint32(pl.tagSet), pp.tagSet)
	})
}

// addNodes adds what is missing of a path and gives its last node.
func (p *places) addNodes(pp *parsedPlace) uint32 {
	parent := uint32(0)
	for depth := range pp.depth {
		unit := p.units.number(pp.path[depth])
		at, known := chained(p.nodeOf, p.moreNodes, unit, func(at uint32) bool { return p.nodes[at].parent == parent })
		if !known {
			at = uint32(len(p.nodes))
			p.nodes = append(p.nodes, pathNode{parent: parent, unit: unit, depth: uint32(depth)})
			chain(&p.nodeOf, p.moreNodes, unit, at)
		}
		parent = at + 1
	}
	return parent - 1
}

func (p *places) unitOf(place uint32) uint32 { return p.nodes[p.all[place].node].unit }

// compact gives back the slack that growing left.
func (p *places) compact() {
	p.units.compact()
	p.nodes, p.all, p.nodeOf, p.placeOf = tight(p.nodes), tight(p.all), tight(p.nodeOf), tight(p.placeOf)
}
