using System;
using System.Collections.Generic;
using System.IO;
using Microsoft.Data.Sqlite;
using Overlay.Crypto;
using Overlay.Metadata.Interop;
using Overlay.Metadata.Tests.Support;
using Overlay.Metadata.Volumes;

namespace Overlay.Fuzz;

/// <summary>A damaged store: unlocking and asking for keys says so in a <see cref="VolumeException"/>, or answers rightly.</summary>
internal sealed class StoreTarget : Target, IDisposable
{
    private readonly TestVolume _volume = new();
    private readonly List<byte[]> _seeds = [];
    private readonly byte[] _fileId;
    private readonly byte[] _key = new byte[32];

    public StoreTarget()
    {
        using (RunningAgent agent = new(_volume))
        using (Metadata.Protocol.AgentClient client = agent.Connect())
        {
            Metadata.Protocol.GrantedKey[] keys = new Metadata.Protocol.GrantedKey[1];
            _ = client.TakeNewKeys(_volume.Config.VolumeId, 1, keys);
            _fileId = keys[0].FileId;
            keys[0].Key.CopyTo(_key);
            client.NoteCreated(_volume.Config.VolumeId, [(_fileId, "a/file")]);
        }
        SqliteConnection.ClearAllPools();
        _seeds.Add(File.ReadAllBytes(_volume.StorePath));
    }

    public override string Name => "store";

    public override double Percent => 0.5;

    public override IReadOnlyList<byte[]> Seeds => _seeds;

    public override byte[] Make(Mutator mutator) => mutator.Mutate(_seeds[0], _seeds, 1 << 20);

    public override void Run(byte[] input)
    {
        File.WriteAllBytes(_volume.StorePath, input);
        foreach (string side in new[] { "-wal", "-shm", "-journal" })
            File.Delete(_volume.StorePath + side);
        try
        {
            using UnlockedVolume unlocked = _volume.Unlock();
            byte[] key = new byte[32];
            if (unlocked.TryGetFileKey(_fileId, key) && !key.AsSpan().SequenceEqual(_key))
                throw new FindingException("a wrong key was given out");
            _ = unlocked.Store.CountFiles(Metadata.Store.FileState.Live);
        }
        catch (VolumeException)
        {
            // Refused: what we want.
        }
    }

    public void Dispose() => _volume.Dispose();
}
