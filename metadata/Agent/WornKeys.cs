using System;
using System.Collections.Generic;
using System.Runtime.InteropServices;
using System.Threading;
using System.Threading.Tasks;
using Overlay.Crypto;
using Overlay.Metadata.Store;
using Overlay.Metadata.Volumes;

namespace Overlay.Metadata.Agent;

/// <summary>
/// Files whose keys have sealed so often that they must be replaced (NIST SP 800-38D allows 2³² random nonces a key): they are, one after the
/// other, while programs go on. Used by the agent's thread alone; only the work itself runs on another one.
/// </summary>
internal sealed class WornKeys(IFileRekeyer rekeyer, Action<string> log) : IDisposable
{
    private const int LookMilliseconds = 200;

    /// <summary>One that failed, or that is told again since what was sealed anew was counted, is not tried again at once.</summary>
    private const long RetryMilliseconds = 3_600_000;

    private readonly Queue<(UnlockedVolume Volume, byte[] FileId)> _waiting = new();

    private readonly Dictionary<UInt128, long> _notBefore = [];
    private readonly CancellationTokenSource _stop = new();
    private Task? _running;

    /// <summary>For how long the agent may sleep; -1: as long as it likes.</summary>
    internal int WaitMilliseconds => _running is null && _waiting.Count == 0 ? -1 : LookMilliseconds;

    internal void Add(UnlockedVolume volume, byte[] fileId)
    {
        UInt128 id = MemoryMarshal.Read<UInt128>(fileId);
        long now = Environment.TickCount64;
        if (_notBefore.TryGetValue(id, out long notBefore) && now < notBefore)
            return;
        _notBefore[id] = now + RetryMilliseconds;
        _waiting.Enqueue((volume, fileId));
    }

    internal void KeepUp()
    {
        if (_running is { IsCompleted: false })
            return;
        _running = null;
        if (_waiting.TryDequeue(out (UnlockedVolume Volume, byte[] FileId) next))
            Begin(next.Volume, next.FileId);
    }

    /// <summary>What is under way stops at the next block, and is gone on with another time.</summary>
    public void Dispose()
    {
        _stop.Cancel();
        _running?.Wait();
        _stop.Dispose();
    }

    private void Begin(UnlockedVolume volume, byte[] fileId)
    {
        string id = Convert.ToHexStringLower(fileId);
        try
        {
            if (volume.Store.TryFindFile(fileId) is not FileRow row)
                return;
            string name = row.Path.Length > 0 ? row.Path : id;
            UnlockedVolume own = volume.OpenAgain();
            log($"{name}: its key has sealed so often that it is replaced");
            _running = Task.Run(() => Run(own, fileId, row.Path, name));
        }
        catch (Exception e) when (e is VolumeException or ErrnoException)
        {
            log($"the key of {id} has sealed too often and cannot be replaced: {e.Message}");
        }
    }

    private void Run(UnlockedVolume volume, byte[] fileId, string path, string name)
    {
        using (volume)
        {
            string? obstacle;
            try
            {
                obstacle = rekeyer.Rekey(volume, fileId, path, _stop.Token);
            }
            catch (Exception e) when (e is VolumeException or ErrnoException)
            {
                obstacle = e.Message;
            }
            log(obstacle is null ? $"{name}: it has another key" : $"{name}: its key must be replaced with 'overlay-ctl rekey', this failed: {obstacle}");
        }
    }
}
