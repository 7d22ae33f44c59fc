using System.Threading;
using Overlay.Metadata.Volumes;

namespace Overlay.Metadata.Agent;

/// <summary>Gives a file another key, for an agent: format and ciphers are not this library's.</summary>
public interface IFileRekeyer
{
    /// <summary>Takes long, on a thread of its own. Stopped, it leaves a file with two keys, with which it goes on the next time.</summary>
    /// <param name="volume">For this alone.</param>
    /// <param name="path">Where the store knows the file to be, relative to the volume; it may be elsewhere by now.</param>
    /// <returns>What stands in the way; null: it is done.</returns>
    string? Rekey(UnlockedVolume volume, byte[] fileId, string path, CancellationToken stop);
}
