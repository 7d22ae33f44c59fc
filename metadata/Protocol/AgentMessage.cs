namespace Overlay.Metadata.Protocol;

/// <summary>
/// The agent's protocol, versions 1 to 3: one packet of a SOCK_SEQPACKET unix socket is one message. Integers are
/// little-endian and unsigned; a text is its length in bytes (2) and that many bytes of UTF-8, at most
/// <see cref="MaxText"/>. A packet is at most <see cref="MaxPacket"/> bytes and has no bytes beyond its fields.
/// <code>
/// every packet      offset  size  field
///                   0       2     kind; a reply has the kind of its request with bit 15 set
///                   2       2     status of a reply: 0, or an errno, then nothing follows; 0 in a request
///                   4       4     request number, chosen by the client, repeated in the reply; 0 for hello
///                   8             fields of the kind
///
/// kind              request                                             reply
/// 1 hello           magic "OVLA" (4), lowest version (2), highest (2)   version (2), keys per request (2), agent pid (4)
/// 2 attach          device (8), inode (8) of the root; root (text)      volume id (16), suite (1), compress (1), log2 of
///                                                                       the block size (1), view (1): 1, by the policy this
///                                                                       program sees ciphertext, else 0; ENOENT: not served
///                                                                       here
/// 3 get keys        volume id (16), file id (16), at most (2); may be   count (2), count × (file id (16), key (32)): that
///                   with one descriptor by SCM_RIGHTS: of the file      file's, then those of files that were made about
///                                                                       the same time; ENOENT: no such key. At most 0: all
///                                                                       keys of that file, one or, while it is given
///                                                                       another, two, the present one first. At most
///                                                                       65,535: is there such a key? No keys, count 0
/// 4 take new keys   volume id (16), count (2); may be with one          count (2), count × (file id (16), key (32), since
///                   descriptor by SCM_RIGHTS: of the new file           version 2 what is derived of it (32)); with a
///                                                                       descriptor one of them, and behind it suite (1),
///                                                                       compress (1), log2 of the block size (1), 0 (1)
/// 5 note created    volume id (16), once or more: file id (16), path    none
///                   (text)
/// 6 adopt           none, or slot in the connection's counters (2);     none
///                   one descriptor by SCM_RIGHTS
/// 7 status          none                                                uptime in ms (8), keys found (8), keys handed out
///                                                                       (8), connections (4), volumes listed (2), each:
///                                                                       volume id (16), keys in the pool (4), root (text)
/// 8 lend            volume id (16), what (1): 0 locks, 1 coherence      none; one descriptor of that file by SCM_RIGHTS,
///                                                                       a description of its own
/// 9 reopen          volume id (16); one descriptor by SCM_RIGHTS        none; one descriptor of the same file by
///                                                                       SCM_RIGHTS, opened for reading and writing, since
///                                                                       version 3 also for reading, as the given one is;
///                                                                       EPERM: it may not be used so, or lies elsewhere
/// 10 note states    volume id (16), boot word (4), count (2), count ×   none
///                   (file id (16), sequence (8))
/// 11 pages          volume id (16), file id (16), how (1): 0 view,      elsewhere (text): "" and one descriptor of the page
///                   1 make, 2 map, 3 offer; own agent (text); one       file (none after offer), or the socket of the agent
///                   descriptor by SCM_RIGHTS: of the backing file, or   that keeps the volume's pages; ENOENT: there is none;
///                   with offer of a page file                           EBUSY: it is with processes of a keeper that is gone
/// 16 note uses      volume id (16), boot word (4), count (2), count ×   none
///                   (file id (16), sequence (8), seals since the last
///                   note (4))
/// 24 counters       none; one descriptor by SCM_RIGHTS (CounterSlots)   none
/// 25 processes      how many to leave out (4)                           counters of processes that ended (16 × 8), processes
///                                                                       (4), count (2), count × (pid (4), user (4), counts (1),
///                                                                       counters (16 × 8))
/// 32 more keys      volume id (16), at most (2)                         count (2), count × (file id (16), key (32)): those
///                                                                       that follow the last that this connection got,
///                                                                       as it goes through the volume; often none
/// 33 size           volume id (16); one descriptor by SCM_RIGHTS, of    size (8), as the file's header says; EPERM: lies
///                   a regular file, perhaps by O_PATH (version 3)       elsewhere, or is no sealed file
/// </code>
/// Pages: see <see cref="PageFileLayout"/>. The page file's descriptor may be written as the backing file's may, but for make,
/// where an agent's own user gets a writable one. One that came by make or map holds a lock, and so does whatever is mapped
/// with it; view and map make no page file. What is offered becomes the page file that the next packet of this connection asks
/// for, if there is none. Own agent: "" if this is it, else its socket, which may inherit the pages when this agent ends.
/// Lend is for programs that may not search <c>.overlay</c> themselves: those that gave up their privileges. Reopen is for
/// those that were given a descriptor for writing alone, or a sandbox (Landlock) that lets nothing be opened: to change a part of
/// a block the rest of it must be read.
/// Where the volume has a policy (docs/policy.md), get keys and take new keys answer EDESTADDRREQ to a question without a descriptor that
/// cannot be decided without one, and all three that give something away (pages, too) EKEYREJECTED where the policy does not allow it.
/// More keys is answered with none to a program that may not have every file's, and while the audit log is on: those that it asks for come one by one.
/// Get keys, more keys and take new keys also answer EIO (the store is damaged or unreadable), ENOSPC (it cannot grow) and EBUSY
/// (another process holds it for long); they also EINVAL (no sensible count), and take new keys EDQUOT (far too many).
/// Derived: <see cref="Overlay.Crypto.DataKey.Derive"/>, which takes a tenth of what creating a small file does. Version 1 knows neither it nor more keys.
/// Counters: this process counts in the first slot of that table, a child in the one it names with adopt.
/// Device is (major &lt;&lt; 32 | minor). Hello comes first on a connection that was connected. A connection that was handed
/// over with adopt begins behind hello, at the version of the connection it came by: a forked child makes a socket pair
/// and sends one end over the connection it shares with its parent; nothing comes back that its parent might read.
/// A peer that may not speak to the agent gets a hello reply with status EPERM, unasked, and is disconnected; so is one
/// that comes when the agent is full (EUSERS). A packet that breaks these rules ends the connection.
/// </summary>
internal static class AgentMessage
{
    internal const ushort Version = 3, OldestVersion = 1, VersionWithDerived = 2, VersionWithMoreKeys = 2, VersionWithSize = 3;
    internal const uint Magic = 0x414C564F;    // "OVLA"

    internal const int HeaderSize = 8;
    internal const int MaxPacket = 8192;
    internal const int MaxText = 4096;
    internal const int MaxKeysPerRequest = 128;

    /// <summary>In place of a number of keys.</summary>
    internal const ushort IsThereAKey = 0xFFFF;
    internal const int MaxStates = 128;

    internal const int VolumeIdSize = 16;
    internal const int FileIdSize = 16;
    internal const int KeySize = 32;
    internal const int SettingsSize = 4;

    internal const ushort Hello = 1, Attach = 2, GetKeys = 3, TakeNewKeys = 4, NoteCreated = 5, Adopt = 6, Status = 7, Lend = 8, Reopen = 9,
        NoteStates = 10, Pages = 11, NoteUses = 16, Counters = 24, Processes = 25, MoreKeys = 32, Size = 33;
    internal const byte ViewPlain = 0, ViewCiphertext = 1;
    internal const byte LendLocks = 0, LendCoherence = 1;
    internal const byte PagesView = 0, PagesMake = 1, PagesMap = 2, PagesOffer = 3;
    internal const ushort ReplyBit = 0x8000;
}
