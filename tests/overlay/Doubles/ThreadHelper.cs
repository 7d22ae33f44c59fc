using System;
using System.Runtime.InteropServices;
using System.Threading;
using Overlay.Crypto;
using Overlay.Files;

namespace Overlay.Tests.Doubles;

/// <summary>When a helper comes that is called.</summary>
public enum HelperManner
{
    /// <summary>On a thread of its own, as it happens.</summary>
    BesideTheCaller,

    /// <summary>Everything is done before the caller begins.</summary>
    First,

    /// <summary>One block is done before the caller begins.</summary>
    FirstBlockOnly,

    /// <summary>It does not come in time.</summary>
    Never,
}

/// <summary>A helper as the filter has one. Fails the test where it is not used in order.</summary>
internal sealed unsafe class ThreadHelper(HelperManner manner) : IHelper
{
    private static readonly nint s_sodium = NativeLibrary.Load("libsodium", typeof(DataKey).Assembly, null);

    private readonly Lock _gate = new();
    private bool _isTaken;
    private Thread? _thread;
    private AheadJob* _job;

    static ThreadHelper()
    {
        AheadSealers.Set(CipherSuite.Aes256Gcm, NativeLibrary.GetExport(s_sodium, "crypto_aead_aes256gcm_encrypt_detached_afternm"));
        AheadSealers.Set(CipherSuite.Aegis256, NativeLibrary.GetExport(s_sodium, "crypto_aead_aegis256_encrypt_detached"));
        AheadSealers.Set(CipherSuite.XChaCha20Poly1305, NativeLibrary.GetExport(s_sodium, "crypto_aead_xchacha20poly1305_ietf_encrypt_detached"));
    }

    public int Jobs { get; private set; }

    public long BlocksDone { get; private set; }

    public bool IsAway => !_isTaken && _job == null && _thread is null;

    public bool TryTake(long bytes)
    {
        lock (_gate)
            return !_isTaken && (_isTaken = true);
    }

    public void Call(AheadJob* job)
    {
        if (!_isTaken || _job != null)
            throw new InvalidOperationException("it was not taken, or is in a job");
        Jobs++;
        _job = job;
        switch (manner)
        {
            case HelperManner.First:
                BlocksDone += AheadJob.Work(job);
                break;
            case HelperManner.FirstBlockOnly:
                BlocksDone += AheadJob.TryWork(job) ? 1 : 0;
                break;
            case HelperManner.BesideTheCaller:
                Start((nint)job);
                break;
        }
    }

    private void Start(nint job)
    {
        _thread = new Thread(() => BlocksDone += AheadJob.Work((AheadJob*)job));
        _thread.Start();
    }

    public void Recall()
    {
        _thread?.Join();
        _thread = null;
        _job = null;
    }

    public void Release()
    {
        if (!_isTaken || _job != null)
            throw new InvalidOperationException("it is still in a job");
        lock (_gate)
            _isTaken = false;
    }
}
