import orjson
from tests.registry.test_sampling import *
def test_x(on_sqlite):
    sample = generate(SIZE, today=TODAY, density=3)
    from collections import Counter
    c=Counter()
    from registry.services.sameness import content_of
    for name, frame in sample.records.items():
        for row in frame.iter_rows(named=True):
            st=stated(name,row)
            d=orjson.loads(row["detail_json"])
            if st.detail!=d: c[name, 'detail', str({k for k in set(st.detail)^set(d)}), str([ (k,d[k],st.detail[k]) for k in d if k in st.detail and d[k]!=st.detail[k]])[:300]]+=1
            for a in ("code","severity","amount_fen","happened_on","ends_on"):
                if getattr(st,a)!=row[a]: c[name,a]+=1
            if list(st.detail)!=list(d): c[name,'order',str(list(st.detail)),str(list(d))]+=1
    print(c)
    assert 0
