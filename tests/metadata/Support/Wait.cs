using System;
using System.Threading;
using Xunit;

namespace Overlay.Metadata.Tests.Support;

/// <summary>For what another thread or process will do: as long as it takes on a busy machine, and no longer.</summary>
internal static class Wait
{
    private const int Milliseconds = 30_000;

    internal static void Until(Func<bool> condition) =>
        Assert.True(SpinWait.SpinUntil(
            () =>
            {
                Thread.Sleep(10);
                return condition();
            },
            Milliseconds));
}
