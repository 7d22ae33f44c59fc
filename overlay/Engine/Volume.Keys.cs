using System;
using System.Collections.Generic;
using Overlay.Crypto;
using Overlay.Files;
using Overlay.Metadata.Agent;
using Overlay.Metadata.Policy;
using Overlay.Metadata.Protocol;

namespace Overlay.Engine;

/// <summary>Keys of files that are opened, and in stock for files to come.</summary>
internal sealed partial class Volume
{
    /// <summary>Of keys that are asked for, and of notes that are sent: each costs two changes of process.</summary>
    private const int LargestBatch = 64;

    /// <summary>Used in the order in which they were granted, which is that of their rows: the keys of files that are made together lie together.</summary>
    private readonly Queue<GrantedKey> _stock = new();
    private readonly RecentKeys _recent = new();
    private int _nextBatch = 1;
    private uint _shreddings, _stockShreddings;

    /// <summary>The agent has to be shown each file that a key is asked for: the volume has a policy.</summary>
    private volatile bool _showsFiles;

    /// <summary>What <see cref="CoherenceTable.Shreddings"/> was before the last key was got: whoever keeps it sees later ones.</summary>
    internal uint Shreddings => _shreddings;

    /// <summary>The agent says that there is no such key any more. Where no agent can be asked it is not known, and false.</summary>
    internal bool IsKeyGone(byte[] fileId)
    {
        try
        {
            return !_agent.Ask(Id, Root, client => client.HasKey(Id, fileId));
        }
        catch (ErrnoException exception) when (exception.Errno == Errno.ENOTCONN)
        {
            return false;
        }
    }

    /// <param name="file">A descriptor of the file that can be read.</param>
    internal bool TryGetKey(ReadOnlySpan<byte> fileId, int file, Span<byte> key)
    {
        uint shreddings = Coherence.Shreddings;
        if (shreddings != _shreddings)
        {
            _recent.Clear();
            _showsFiles = false;
        }
        _shreddings = shreddings;
        if (_recent.TryGet(fileId, key, out int more))
        {
            if (more > 0)
                AskAhead(more, shreddings);
            return true;
        }
        byte[] id = fileId.ToArray();
        byte[] answer = GC.AllocateUninitializedArray<byte>(DataKey.KeySize, pinned: true);
        try
        {
            bool isKnown = AskShowing(file, (client, shown) =>
            {
                // What was asked for ahead is answered first.
                while (client.TakeMore(out bool hasWaited))
                {
                    if (hasWaited)
                        _recent.AskEarlier();
                    if (_recent.TryGet(id, answer))
                        return true;
                }
                return client.TryGetKeys(Id, id, _recent.NextBatch(), (foundId, found) =>
                {
                    if (foundId.SequenceEqual(id))
                        found.CopyTo(answer);
                    _recent.Put(foundId, found);
                }, shown);
            });
            answer.CopyTo(key);
            return isKnown;
        }
        finally
        {
            Secret.Wipe(answer);
        }
    }

    /// <summary>The keys of files that follow are on their way when they are needed. Were keys destroyed meanwhile, what comes is not kept.</summary>
    private void AskAhead(int most, uint shreddings) => _agent.TryTellAside(client =>
    {
        for (int underWay = client.MoreUnderWay; underWay < _recent.Window; underWay++)
        {
            bool isFirst = true;
            client.AskForMore(Id, most, (foundId, found) =>
            {
                if (Coherence.Shreddings != shreddings)
                    return;
                if (isFirst)
                    _recent.BeginBatch();
                isFirst = false;
                _recent.Put(foundId, found);
            });
        }
    });

    internal int GetKeysAnew(ReadOnlySpan<byte> fileId, int file, Span<byte> keys)
    {
        byte[] id = fileId.ToArray();
        byte[] answer = GC.AllocateUninitializedArray<byte>(2 * DataKey.KeySize, pinned: true);
        try
        {
            int count = 0;
            _ = AskShowing(file, (client, shown) =>
            {
                count = 0;
                return client.TryGetKeys(Id, id, 0, (_, found) => found.CopyTo(answer.AsSpan(count++ * DataKey.KeySize)), shown);
            });
            // Of two the newer one will be asked for oftener.
            if (count > 0)
                _recent.Put(id, answer.AsSpan((count - 1) * DataKey.KeySize, DataKey.KeySize));
            answer.AsSpan(0, count * DataKey.KeySize).CopyTo(keys);
            return count;
        }
        finally
        {
            Secret.Wipe(answer);
        }
    }

    /// <summary>Asks the agent, and shows it the file where it wants to see that.</summary>
    private T AskShowing<T>(int file, Func<AgentClient, int, T> question)
    {
        try
        {
            try
            {
                return _agent.Ask(Id, Root, client => question(client, _showsFiles ? file : -1));
            }
            catch (ErrnoException exception) when (exception.Errno == Errno.EDESTADDRREQ && file >= 0)
            {
                _showsFiles = true;
                return _agent.Ask(Id, Root, client => question(client, file));
            }
        }
        catch (ErrnoException exception) when (exception.Errno is Errno.EKEYREJECTED or Errno.EDESTADDRREQ)
        {
            throw new ErrnoException(Errno.EACCES, "the volume's policy does not allow it"); // the agent's log says why
        }
    }

    /// <summary>An id and key for the new file behind a descriptor; the caller wipes it. Asked for in growing batches where no policy is in the way.</summary>
    internal GrantedKey TakeNewKey(int file, out FileSettings settings)
    {
        FileSettings said = Standard;
        lock (_stock)
        {
            uint shreddings = Coherence.Shreddings;
            if (shreddings != _stockShreddings)
                ForgetStock(); // a policy may have come since
            _stockShreddings = shreddings;
            if (_stock.Count == 0)
                AskShowing(file, (client, shown) => Restock(client, shown, ref said));
            settings = said;
            GrantedKey granted = _stock.Dequeue();
            _recent.Put(granted.FileId, granted.Key);
            return granted;
        }
    }

    private bool Restock(AgentClient client, int shown, ref FileSettings settings)
    {
        if (shown >= 0)
        {
            _stock.Enqueue(client.TakeNewKey(Id, shown, out settings));
            return true;
        }
        GrantedKey[] batch = new GrantedKey[_nextBatch];
        int count = client.TakeNewKeys(Id, batch.Length, batch);
        for (int i = 0; i < count; i++)
            _stock.Enqueue(batch[i]);
        _nextBatch = Math.Min(_nextBatch * 2, LargestBatch);
        return true;
    }

    /// <summary>A key that was taken and has sealed nothing: for the next new file, unless the agent gave it for this one.</summary>
    internal void GiveBack(GrantedKey granted)
    {
        lock (_stock)
        {
            if (_showsFiles)
                granted.Wipe();
            else
                _stock.Enqueue(granted);
        }
    }

    private void ForgetStock()
    {
        _showsFiles = false;
        while (_stock.TryDequeue(out GrantedKey key))
            key.Wipe();
    }
}
