using System;
using System.Threading;
using Overlay.Ctl.Verify;
using Overlay.Metadata.Agent;
using Overlay.Metadata.Keys;
using Overlay.Metadata.Volumes;

namespace Overlay.Ctl.Rekey;

/// <summary>What 'overlay-ctl rekey' does, in an agent.</summary>
internal sealed class AgentFileRekeyer : IFileRekeyer
{
    public string? Rekey(UnlockedVolume volume, byte[] fileId, string path, CancellationToken stop)
    {
        using RawVolume raw = new(volume);
        if (!raw.IsShared)
            return "the volume's locks cannot be opened";
        RekeyTarget? target = Find(volume, fileId, path, out string reason);
        if (target is null)
            return reason;
        string? obstacle = new FileRekey(raw, target, new Throttle(double.PositiveInfinity), _ => { }, stop).Run();
        if (obstacle is null)
            _ = StoreCleaning.TryClean(volume.Store.Connection);
        return obstacle;
    }

    /// <summary>Where it was made, or by a look at the whole volume.</summary>
    private static RekeyTarget? Find(UnlockedVolume volume, byte[] fileId, string path, out string reason)
    {
        string left = "";
        RekeyTarget? found = path.Length > 0 ? RekeyTarget.TryAt(volume, path, (_, why) => left = why) : null;
        if (found is null || !found.FileId.AsSpan().SequenceEqual(fileId))
            found = RekeyTarget.Find(volume, [volume.Root], null, (name, why) => left = $"{FindingText.Escape(name)}: {why}").Find(target => target.FileId.AsSpan().SequenceEqual(fileId));
        reason = left.Length > 0 ? left : "the file is not in the volume any more";
        return found;
    }
}
