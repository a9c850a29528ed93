package policy

import "slices"

// MovedSoFar remembers how far a decision has been carried out by now. The move
// of a decision that was remembered before is replaced, and is none where what
// was taken from one target was given to another.
func (h *History) MovedSoFar(p Policy, m Move) {
	i := h.moveOf(m.ID)
	switch {
	case i < 0:
		h.Moved(p, m)
	case m.From == m.To:
		h.Moves = slices.Delete(h.Moves, i, i+1)
	default:
		h.Moves[i].To = m.To
	}
}

// MovedAfterAll remembers a change that a platform is found to have accepted. It
// is part of the move of its decision, where that is remembered.
func (h *History) MovedAfterAll(p Policy, m Move) {
	if i := h.moveOf(m.ID); i >= 0 {
		h.Moves[i].To += m.To - m.From
		return
	}
	h.Moved(p, m)
}

func (h *History) moveOf(id string) int {
	return slices.IndexFunc(h.Moves, func(m Move) bool { return m.ID == id })
}
