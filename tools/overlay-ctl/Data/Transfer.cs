using System.Collections.Generic;
using System.Threading;

namespace Overlay.Ctl.Data;

/// <summary>What an import or export has done so far. Read by the progress bar from another thread.</summary>
internal sealed class Transfer
{
    private long _files, _bytes;

    /// <summary>Regular files that were copied, and their bytes (holes are none).</summary>
    internal long Files => Interlocked.Read(ref _files);

    internal long Bytes => Interlocked.Read(ref _bytes);

    /// <summary>Files and links that were there already: the work of an earlier start, or nothing to do.</summary>
    internal long Done { get; set; }

    internal long HardLinks { get; set; }

    /// <summary>Symbolic links, pipes, sockets, devices.</summary>
    internal long Others { get; set; }

    internal long Directories { get; set; }

    /// <summary>What was left out, and why.</summary>
    internal List<(byte[] Path, string Reason)> LeftOut { get; } = [];

    /// <summary>What was copied, but not in every respect.</summary>
    internal List<(byte[] Path, string Text)> Notes { get; } = [];

    /// <summary>The disk was full: nothing behind this point was tried.</summary>
    internal bool IsFull { get; set; }

    /// <summary>Of what is to come; 0: not known.</summary>
    internal long AllFiles { get; set; }

    internal long AllBytes { get; set; }

    internal void AddFile() => Interlocked.Increment(ref _files);

    internal void AddBytes(long count) => Interlocked.Add(ref _bytes, count);

    internal void LeaveOut(byte[] path, string reason) => LeftOut.Add((path, reason));
}
