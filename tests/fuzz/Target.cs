using System.Collections.Generic;

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

    /// <summary>After all executions: is it still sound?</summary>
    public virtual void Finish()
    {
    }
}
