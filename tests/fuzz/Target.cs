using System;
using System.Collections.Generic;
using System.Security.Cryptography;
using Overlay.Crypto;

namespace Overlay.Fuzz;

/// <summary>Something that takes bytes from others. It may refuse them as its documentation says, and do nothing else.</summary>
internal abstract class Target
{
    public abstract string Name { get; }

    /// <summary>How much of the time it gets, in relation to the others.</summary>
    public virtual int Share => 1;

    /// <summary>How many executions a run by iterations makes of it: this many in a hundred.</summary>
    public virtual double Percent => 100;

    public abstract IReadOnlyList<byte[]> Seeds { get; }

    /// <summary>Any exception that comes out of it, or <see cref="FindingException"/>, is a finding.</summary>
    public abstract void Run(byte[] input);

    /// <summary>The input of an execution; targets with a structure know better ways.</summary>
    public virtual byte[] Make(Mutator mutator) => mutator.Mutate(Seeds[mutator.Random.Next(Seeds.Count)], Seeds);

    /// <summary>
    /// Seals anew, with a nonce that follows from what is sealed: a seed is then the same in every process, and an input that was made
    /// from it in another one is known here.
    /// </summary>
    /// <param name="part">Header, record or version; the tag follows the nonce.</param>
    protected static void SealAlike(Span<byte> part, int nonceOffset, DataKey key, ReadOnlySpan<byte> associatedData, ReadOnlySpan<byte> plain, byte[]? text = null)
    {
        byte[] sealedText = new byte[plain.Length + key.TagSize], hash = SHA256.HashData(associatedData);
        Span<byte> nonce = part.Slice(nonceOffset, DataKey.StoredNonceSize);
        hash.AsSpan(0, DataKey.StoredNonceSize).CopyTo(nonce);
        key.Seal(nonce, associatedData, plain, sealedText);
        sealedText.AsSpan(plain.Length).CopyTo(part[(nonceOffset + DataKey.StoredNonceSize)..]);
        if (text is not null)
            sealedText.AsSpan(0, plain.Length).CopyTo(text);
    }

    /// <summary>After all executions: is it still sound?</summary>
    public virtual void Finish()
    {
    }
}
