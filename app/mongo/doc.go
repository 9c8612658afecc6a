// Package mongo keeps khaosat's data in MongoDB, or in a server that speaks
// its protocol: the store for an installation of any size. See survey.Store
// for what it promises. It needs MongoDB 6 or later, no transactions and no
// change streams; a standalone server and a replica set will both do. (A visit
// is unique over all responses, so the collection cannot be sharded by id.)
//
// # Documents
//
// One document of the domain is one document here, with its history and its
// audit events, in a form that is meant to be read without khaosat
// (documents*.go). Each carries a head of three fields: rev, the revision;
// written, the server's clock at the last write; write, the mark of that
// write. A document that can be followed has a pos besides.
//
// Every change is one atomic write of one document. Create inserts under the
// condition that the identity is not there, replace updates under the
// condition that rev is the one that was read. What must be unique is unique
// by index. Writes are acknowledged by a majority with their journal, and a
// write that is refused is too (the server waits for the state that it saw), so
// whoever is told "exists" may rely on it as on a success. The mark tells a
// write that was sent twice, because the first answer got lost, from somebody
// else's: it is then a success and not a conflict.
//
// # Following
//
// UnitsSince, AssignmentsSince, ResponsesSince and RowsSince must miss nothing
// and repeat nothing, whatever process is stopped wherever for however long. No
// clock can give that: a position that is taken from a clock, even the server's
// own in the very write, may come to be seen after a reader has gone beyond
// it, by as much as a process or a disk may hang; and a position that is
// corrected later shows the same revision twice. So the write only marks its
// document as not yet numbered (pos 0), and whoever reads gives the numbers.
//
// To number is: list the documents with pos 0; then take as many numbers from
// the collection's counter; then set each document's pos, under the condition
// that its mark is the listed one and its pos still 0. Any number of processes
// may do so at once, and be stopped in the middle.
//
// To read on from a cursor is: number; read the counter, call it the end;
// number once more; then yield, by pos, what lies after the cursor and not
// after the end. If then there is something beyond the end that was replaced
// (its rev is not 1), do it all again from there.
//
//   - Nothing acknowledged is missed. What was acknowledged before the reading
//     began is visible to the first listing, so it has got a number when that
//     is done: one that was taken from the counter before the end was read. It
//     is found there, or it has been replaced meanwhile; then its newer state is
//     beyond the end, and the reading goes on. (Once it has yielded something
//     it need not do so for ever: its caller will read on.)
//   - Nothing gets a position behind a reader. Suppose that after the reading a
//     document got a pos up to its end. Its number was taken before the end
//     was read, and the document, in that revision, had been listed before
//     the number was taken. So it was visible to the reader's second
//     numbering, which leaves no such document at pos 0: the late write finds
//     its condition broken.
//   - Nothing comes twice. A revision gets its pos once, and the pos never
//     changes until the next revision, which has none at first.
//
// A cursor is therefore one number, stays valid for ever, and costs nothing.
// Within one numbering the order is that of the server's clock and then of the
// marks, so the order of positions is that of the writes wherever one write
// began after another was acknowledged, as far as the server's clock goes
// forward; that order is a convenience, and nothing above depends on it.
//
// The price is a second, small update of each document, by the reader, in
// groups. A reading that finds nothing new costs two round trips.
package mongo
