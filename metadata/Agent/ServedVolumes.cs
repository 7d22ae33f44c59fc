using System;
using System.Collections.Generic;
using System.Linq;
using Overlay.Metadata.Interop;
using Overlay.Metadata.Volumes;

namespace Overlay.Metadata.Agent;

/// <summary>The volumes of an agent, and how what their stores and logs refuse is answered.</summary>
internal sealed class ServedVolumes(IReadOnlyList<KeyPool> pools, LogLimiter log, AgentMetrics metrics) : IDisposable
{
    private readonly ServedVolume[] _volumes = [.. pools.Select(pool => new ServedVolume(pool, log))];

    internal IReadOnlyList<ServedVolume> All => _volumes;

    internal ServedVolume? Find(ReadOnlySpan<byte> volumeId)
    {
        foreach (ServedVolume volume in _volumes)
        {
            if (volume.Pool.Volume.VolumeId.Span.SequenceEqual(volumeId))
                return volume;
        }
        return null;
    }

    internal ServedVolume? Find(ulong device, ulong inode) =>
        Array.Find(_volumes, volume => volume.Pool.Volume.Device == device && volume.Pool.Volume.Inode == inode);

    /// <summary>One line for the log, and the errno that the program's open will fail with.</summary>
    internal int Report(VolumeException e)
    {
        metrics.CountStoreFailure();
        log.Write(e.Message);
        return e.Error switch
        {
            VolumeError.DiskFull => Errno.NoSpace,
            VolumeError.Busy => Errno.Busy,
            _ => Errno.InputOutput,
        };
    }

    public void Dispose()
    {
        foreach (ServedVolume volume in _volumes)
            volume.Dispose();
    }
}
