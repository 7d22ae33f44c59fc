using Overlay.Files;

namespace Overlay.Engine;

/// <summary>The filter's thread: <c>shim/native/helper.h</c>.</summary>
internal sealed unsafe class NativeHelper(NativeHelper.Calls* calls) : IHelper
{
    private readonly Calls* _calls = calls;

    public bool TryTake(long bytes) => _calls->Take(bytes) != 0;

    // An address of compiled code, called as C calls: no way into the runtime, which that thread must not take (AheadJob).
    public void Call(AheadJob* job) => _calls->Call((nint)(delegate*<AheadJob*, long>)&AheadJob.Work, job);

    public void Recall() => _calls->Recall();

    public void Release() => _calls->Release();

    /// <summary><c>struct overlay_helper_calls</c> of shim/native/engine.h.</summary>
    internal struct Calls
    {
        internal delegate* unmanaged<long, int> Take;
        internal delegate* unmanaged<nint, void*, void> Call;
        internal delegate* unmanaged<void> Recall, Release;
    }
}
