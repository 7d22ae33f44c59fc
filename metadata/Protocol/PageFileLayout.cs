namespace Overlay.Metadata.Protocol;

/// <summary>
/// A page file: the plaintext of one sealed file that is mapped shared, in memory alone (a memfd), the same for every process of
/// the host. Its first page says how it stands, the file's bytes follow; its length is <see cref="DataOffset"/> plus the sealed
/// file's, so that the kernel raises SIGBUS and zeroes tails where it would for a plain file.
/// <code>
/// offset  size  field
/// 0       4     1: filled; the bytes are the file's. Before, only whoever fills it may use them
/// 4       4     1: mapped for writing at some time; there may be changes that are not sealed
/// 4096          the file
/// </code>
/// The two words only ever go from 0 to 1; who changes them or the length, or writes data other than through a mapping, holds the
/// inode's write lock.
/// </summary>
public static class PageFileLayout
{
    public const int FilledOffset = 0, DirtyOffset = 4, DataOffset = 4096;
}
